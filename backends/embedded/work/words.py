"""Prompts as numbers, where CLIP reads the words: with weights of words, and longer than it reads at once.

Each 75 tokens are read on their own and put one after the other. A word's numbers are moved away from those of no
words, or towards them, by its weight.
"""

from typing import Any, Final

import torch

from backends.embedded.models.families import SDXL
from backends.embedded.work.orders import ChildOrder
from backends.embedded.work.pipelines import WEIGHED
from backends.embedded.work.weights import Weighed, has_signs, weigh

WORDS: Final = frozenset({"prompt", "negative_prompt", "clip_skip"})  # what numbers stand for in a call


def needs_numbers(pipe: Any, order: ChildOrder) -> bool:
    """Return whether the library's own way would lose something of the words."""
    if order.model.family not in WEIGHED:
        return False
    prompts = (order.prompt, order.negative_prompt)
    most = pipe.tokenizer.model_max_length
    return any(has_signs(prompt) or len(pipe.tokenizer(prompt).input_ids) > most for prompt in prompts)


@torch.no_grad()
def as_numbers(pipe: Any, order: ChildOrder) -> dict[str, torch.Tensor]:
    """Return what takes the place of the prompts in a call of a pipeline."""
    wanted, unwanted = weigh(order.prompt), weigh(order.negative_prompt)
    readers = [(pipe.tokenizer, pipe.text_encoder)]
    if order.model.family == SDXL:
        readers.append((pipe.tokenizer_2, pipe.text_encoder_2))
    is_sdxl, skip = order.model.family == SDXL, max(0, (order.clip_skip or 1) - 1)
    found: dict[str, list[torch.Tensor]] = {"prompt_embeds": [], "negative_prompt_embeds": []}
    pooled: dict[str, torch.Tensor] = {}
    for tokenizer, encoder in readers:
        rows = {name: _rows(tokenizer, text) for name, text in zip(found, (wanted, unwanted), strict=True)}
        count = max(len(each) for each in rows.values())
        for name, chunks in rows.items():
            skipped = skip if name == "prompt_embeds" else 0  # as the library does it
            numbers, pool = _read(encoder, tokenizer, _filled(chunks, count), pipe._execution_device, skipped, is_sdxl)
            found[name].append(numbers)
            pooled[f"{name.removesuffix('prompt_embeds')}pooled_prompt_embeds"] = pool
    values = {name: torch.cat(parts, dim=-1) for name, parts in found.items()}
    return values | pooled if is_sdxl else values


Row = list[tuple[int, float]]


def _rows(tokenizer: Any, parts: Weighed) -> list[Row]:
    """Return the tokens of a prompt with their weights, in rows that CLIP can read."""
    size = tokenizer.model_max_length - 2
    tokens: Row = []
    for text, weight in parts:
        tokens += [(token, weight) for token in tokenizer(text, add_special_tokens=False).input_ids]
    return [tokens[place : place + size] for place in range(0, max(1, len(tokens)), size)]


def _filled(rows: list[Row], count: int) -> list[Row]:
    return [*rows, *([] for _ in range(count - len(rows)))]


def _read(
    encoder: Any, tokenizer: Any, rows: list[Row], device: Any, skip: int, is_sdxl: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the numbers of some rows, one after the other, and those that stand for the whole first row."""
    length = tokenizer.model_max_length
    ids, weights = [], []
    for row in [*rows, []]:  # the last one is no words at all
        tokens = [tokenizer.bos_token_id, *(token for token, _weight in row), tokenizer.eos_token_id]
        ids.append(tokens + [tokenizer.pad_token_id] * (length - len(tokens)))
        weights.append([1.0, *(weight for _token, weight in row)] + [1.0] * (length - 1 - len(row)))
    answer = encoder(torch.tensor(ids, device=device), output_hidden_states=True)
    if is_sdxl:
        numbers = answer.hidden_states[-(skip + 2)]
    elif skip:
        numbers = encoder.text_model.final_layer_norm(answer.hidden_states[-(skip + 1)])
    else:
        numbers = answer.last_hidden_state
    words, nothing = numbers[:-1], numbers[-1:]
    scale = torch.tensor(weights[:-1], device=numbers.device, dtype=numbers.dtype).unsqueeze(-1)
    words = nothing + (words - nothing) * scale
    pooled = answer.text_embeds if hasattr(answer, "text_embeds") else answer.pooler_output
    return words.reshape(1, -1, words.shape[-1]), pooled[:1]
