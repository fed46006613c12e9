"""Answers of tests, as the client would have read them."""

import httpx

from net.reply import Reply


def reply_of(response: httpx.Response) -> Reply:
    return Reply(status=response.status_code, headers=response.headers, body=response.content)
