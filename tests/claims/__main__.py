"""Bring the files of claims in line with the pages: new sentences come without an answer, old ones go."""

from tests.claims import PAGES, Claim, claims_of, file_of, sentences


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(claim: Claim) -> str:
    lines = ["[[claim]]", f"says = {quoted(claim.says)}"]
    if claim.no_promise:
        lines.append(f"no_promise = {quoted(claim.no_promise)}")
    else:
        lines.append(f"tests = [{', '.join(map(quoted, claim.tests))}]")
    return "\n".join(lines)


everywhere = {claim.says: claim for page in PAGES for claim in claims_of(page)}  # a sentence may move to another page
for page in PAGES:
    known = everywhere | {claim.says: claim for claim in claims_of(page)}
    claims = [known.get(sentence, Claim(says=sentence)) for sentence in sentences(page)]
    file_of(page).write_text("\n\n".join(map(written, claims)) + "\n", encoding="utf-8")
    open_ones = sum(not claim.tests and not claim.no_promise for claim in claims)
    print(f"{file_of(page).name}: {len(claims)} sentences, {open_ones} without an answer")
