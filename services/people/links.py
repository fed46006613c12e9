"""Links from a chat into the studio: whoever presses the button gets one of their own, which expires."""

from typing import Final
from urllib.parse import urlencode

from services.people.access import AccessService

LINK_S: Final = 3600.0
FILE_LINK_S: Final = 24 * 3600.0
JOB: Final = "job:"  # what a ticket is given out for


class StudioLinks:
    """Makes them, and says what they open. `public_url` is where people reach the studio."""

    def __init__(self, access: AccessService, public_url: str) -> None:
        self._access = access
        self._public_url = public_url.rstrip("/")

    def link(self, user_key: str, name: str, job_id: str = "") -> str:
        """Return an address that lets this person in for an hour, and opens that job."""
        values = {"t": self._access.sign_in_link(user_key, name, LINK_S)}
        if job_id:
            values["job"] = self.ticket(job_id)
        return f"{self._public_url}/open?{urlencode(values)}"

    def file(self, media_id: str, *, is_private: bool) -> str:
        """Return the address of one file as it was made, which a browser shows or plays."""
        signed = "?" + urlencode({"t": self._access.sign(f"media:{media_id}", FILE_LINK_S)}) if is_private else ""
        return f"{self._public_url}/api/media/{media_id}{signed}"

    def ticket(self, job_id: str) -> str:
        """Return a token that shows its bearer this job, whoever made it, for an hour."""
        return self._access.sign(f"{JOB}{job_id}", LINK_S)

    def job_of(self, ticket: str) -> str:
        """Return the id of the job a ticket is for; "" when it has expired or is none of ours."""
        subject = self._access.subject_of(ticket)
        return subject.removeprefix(JOB) if subject.startswith(JOB) else ""
