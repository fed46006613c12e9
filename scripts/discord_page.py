"""Messages and forms of the local Discord as HTML, about as Discord shows them: both styles, controls and files."""

import base64
import html
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.discord_server import Message
from tests.discord_server.interaction import Modal
from tests.discord_server.model import Attachment

ROW, BUTTON, TEXT_INPUT, SECTION, TEXT, GALLERY, FILE, CONTAINER, LABEL = 1, 2, 4, 9, 10, 12, 13, 17, 18
UPLOAD, RADIO, CHECKS, CHECK = 19, 21, 22, 23
STYLES: Final = {1: " blue", 3: " green", 4: " red"}
STYLE: Final = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def message_html(message: Message) -> str:
    """Return a message as HTML."""
    name, is_bot = message.author.name, message.author.bot
    colour = "#23a55a" if is_bot else "#eb459e"
    head = f"<h4>{html.escape(name)}{' <b>APP</b>' if is_bot else ''}</h4>"
    if message.is_layout:
        body = "".join(_component(item, message) for item in message.components)
    else:
        body = markdown(message.content, message) + _files(message.files)
        body += "".join(_component(item, message) for item in message.components)
    only = "<div class=only>👁 Only you can see this · Dismiss message</div>" if message.ephemeral else ""
    initial = html.escape(name[0].upper())
    return f'<div class=m><div class=a style="background:{colour}">{initial}</div><div>{head}{body}{only}</div></div>'


def form_html(modal: Modal) -> str:
    """Return a form as HTML."""
    fields = "".join(_field(row) for row in modal.components)
    buttons = '<div class=r><span class=b>Cancel</span><span class="b blue">Submit</span></div>'
    return f"<div class=d><h2>{html.escape(modal.title)}</h2>{fields}{buttons}</div>"


def markdown(text: str, message: Message) -> str:
    """Return Discord's markdown as HTML."""
    parts = re.split(r"```(?:\w*\n)?(.*?)```", text, flags=re.DOTALL)
    shown = []
    for number, part in enumerate(parts):
        if number % 2:
            shown.append(f"<pre>{html.escape(part.strip())}</pre>")
        elif part.strip():
            words = "<br>".join(_line(line, message) for line in part.strip("\n").splitlines())
            shown.append(re.sub(r"(</small>|</h3>)<br>", r"\1", words))
    return "".join(shown)


def ahead(seconds: float) -> str:
    """Return a time to come, or that has passed, as Discord writes it."""
    size = abs(seconds)
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    unit, length = next((pair for pair in units if size >= pair[1]), units[-1])
    number = max(1, round(size / length))
    words = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"in {words}" if seconds >= 0 else f"{words} ago"


def _line(text: str, message: Message) -> str:
    people = {str(user.id): user.name for user in message.mentions}
    text = re.sub(r"<t:(\d+)(?::\w)?>", lambda match: ahead(int(match[1]) - time.time()), text)
    text = re.sub(r"<@!?(\d+)>", lambda match: f"\0@{people.get(match[1], 'mia')}\1", text)
    text = re.sub(r"<#(\d+)>", "\0#general\1", text)
    text = re.sub(r"</([\w -]+):\d+>", "\0/\\1\1", text)
    text = re.sub(r"\[([^\]]+)\]\(<?([^)>]+)>?\)", "\2\\1\3", text)
    text = re.sub(r"<(https?://[^>]+)>", "\2\\1\3", text)
    escaped: list[str] = []

    def keep(match: re.Match[str]) -> str:
        escaped.append(match[1])
        return f"\4{len(escaped) - 1}\4"

    text = html.escape(re.sub(r"\\([^A-Za-z0-9\s])", keep, text), quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<!\w)\*([^*\s][^*]*)\*", r"<em>\1</em>", text)
    text = re.sub(r"~~(.+?)~~", r"<s>\1</s>", text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    text = text.replace("\0", "<span class=at>").replace("\1", "</span>").replace("\2", "<a>").replace("\3", "</a>")
    text = re.sub("\4(\\d+)\4", lambda match: html.escape(escaped[int(match[1])]), text)
    if text.startswith("-# "):
        return f"<small>{text[3:]}</small>"
    if heading := re.match(r"#{1,3} (.*)", text):
        return f"<h3>{heading[1]}</h3>"
    return f"• {text[2:]}" if text.startswith("- ") else text


def _component(item: Mapping[str, Any], message: Message) -> str:
    kind, inner = item["type"], item.get("components") or []
    if kind == ROW:
        return f"<div class=r>{''.join(_control(control) for control in inner)}</div>"
    if kind == TEXT:
        return f"<div>{markdown(item['content'], message)}</div>"
    files = {f"attachment://{file.filename}": file for file in message.files}
    if kind == GALLERY:
        return _pictures([files[part["media"]["url"]] for part in item["items"]])
    if kind == FILE:
        return _files([files[item["file"]["url"]]])
    tag = "c" if kind == CONTAINER else "x"
    return f"<div class={tag}>{''.join(_component(part, message) for part in inner)}</div>"


def _control(item: Mapping[str, Any]) -> str:
    if item["type"] != BUTTON:
        chosen = [option["label"] for option in item.get("options") or () if option.get("default")]
        words = ", ".join(chosen) or item.get("placeholder") or "Select"
        return f"<span class=s>{html.escape(words)}<span>▾</span></span>"
    emoji = (item.get("emoji") or {}).get("name") or ""
    words = " ".join(filter(None, (emoji, item.get("label") or "")))
    off = " off" if item.get("disabled") else ""
    return f'<span class="b{STYLES.get(item.get("style", 2), "")}{off}">{html.escape(words)}</span>'


def _files(files: Sequence[Attachment]) -> str:
    pictures = [file for file in files if file.content_type.startswith("image/")]
    others = [file for file in files if file not in pictures]
    return _pictures(pictures) + "".join(f"<div class=f>📄 {html.escape(file.filename)}</div>" for file in others)


def _pictures(files: Sequence[Attachment]) -> str:
    if not files:
        return ""
    several = " several" if len(files) > 1 else ""
    return f'<div class="p{several}">{"".join(map(_picture, files))}</div>'


def _picture(file: Attachment) -> str:
    hidden = " class=gone" if file.filename.startswith("SPOILER_") else ""
    data = base64.b64encode(file.data).decode()
    return f'<img{hidden} src="data:{file.content_type};base64,{data}">'


def _field(row: Mapping[str, Any]) -> str:
    if row["type"] == TEXT:
        return f"<div>{html.escape(row['content'])}</div>"
    item = row["component"] if row["type"] == LABEL else row["components"][0]
    label = row.get("label") or item.get("label") or ""
    needed = " <i>*</i>" if item.get("required", item["type"] != CHECK) else ""
    note = f"<small>{html.escape(row['description'])}</small>" if row.get("description") else ""
    return f"<div><label>{html.escape(label)}{needed}</label>{note}{_entry(item)}</div>"


def _entry(item: Mapping[str, Any]) -> str:
    kind = item["type"]
    if kind == TEXT_INPUT:
        value = item.get("value") or ""
        classes = "i" + (" long" if item.get("style") == 2 else "") + ("" if value else " hint")
        return f'<div class="{classes}">{html.escape(value or item.get("placeholder") or "")}</div>'
    if kind == UPLOAD:
        return "<div class=i>⬆ Drop a file here, or browse</div>"
    if kind == CHECK:
        return f" {'☑' if item.get('default') else '☐'}"
    if kind in (RADIO, CHECKS):
        marks = ("◉", "○") if kind == RADIO else ("☑", "☐")
        lines = [f"{marks[not option.get('default')]} {html.escape(option['label'])}" for option in item["options"]]
        return "<br>" + "<br>".join(lines)
    return f"<div style='margin-top:5px'>{_control(item)}</div>"
