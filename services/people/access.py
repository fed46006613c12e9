"""Access to the HTTP door: API keys, sessions of people who signed in, and links that expire.

Scopes: `read` sees jobs, pictures and engines; `generate` draws, changes and cancels; `admin` does what the owner may.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Final, TypeVar

from generation.errors import LimitReached, RequestRejected
from generation.person import Person
from generation.policy import OPEN_DOOR
from services.people.rates import MemoryRates, Rates
from store.access import AccessStore, SessionRow
from store.access import Key as Key
from texts.text import _
from utils.clock import Clock
from utils.secrets import SecretBox, TimedTokens

SCOPES: Final = ("read", "generate", "admin")
LOCAL_USER: Final = "local"  # whoever sits at this machine: user api:local
TOKEN_PREFIX: Final = "esl_"  # noqa: S105  # so that secret scanners can find a lost one
MAX_NAME_CHARS: Final = 60
MAX_RATE_PER_MINUTE: Final = 6000.0
SIGN_IN: Final = "sign-in:"  # what the tokens of "Open in studio" links are given out for
CACHE_S: Final = 30.0  # so long a key that another process revoked is still taken
TOUCH_EVERY_S: Final = 60.0
SESSION_S: Final = 14 * 86400.0
MAX_REMEMBERED: Final = 4096  # keys, and addresses that guess

GUESSES: Final = 10  # wrong keys from one address
GUESS_WINDOW_S: Final = 60.0
GUESS_BLOCK_S: Final = 300.0

T = TypeVar("T")


class AccessService:
    """Answers who somebody is; refusing what they may not do is for the doors."""

    def __init__(
        self,
        store: AccessStore,
        box: SecretBox,
        clock: Clock,
        *,
        admins: Iterable[str] = (),
        rates: Rates | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tokens = TimedTokens(box.derive("links that end"))  # no text: what a key is for
        self.name_admins(admins)
        self._known: OrderedDict[str, tuple[Key, float]] = OrderedDict()
        self._rates = rates or MemoryRates(clock)
        self._guesses = Guesses(clock)

    def name_admins(self, user_ids: Iterable[str]) -> None:
        """Take these users of Discord, and no others, for admins from now on; their open sessions too."""
        self._admins = frozenset(f"discord:{user_id}" for user_id in user_ids)

    async def create_key(
        self,
        name: str,
        scopes: Iterable[str],
        user_key: str | None = None,
        rate_per_minute: float | None = None,
        expires: datetime | None = None,
    ) -> tuple[Key, str]:
        """Make a key; the token is shown this once and stored nowhere.

        Args:
            name: what its owner calls it.
            scopes: of `SCOPES`.
            user_key: whom it acts for; a user of its own if None.
            rate_per_minute: requests a minute; None is no limit.
            expires: when it ends by itself.

        Raises:
            RequestRejected: the name, a scope, the rate or the date makes no sense.
        """
        name, wanted = name.strip(), frozenset(scopes)
        self._check_key(name, wanted, user_key, rate_per_minute, expires)
        key_id, token = secrets.token_hex(4), TOKEN_PREFIX + secrets.token_urlsafe(32)
        key = Key(
            id=key_id,
            name=name,
            hash=_hash(token),
            scopes=wanted,
            user_key=user_key or f"api:{key_id}",
            rate_per_minute=rate_per_minute,
            created_at=self._clock.now(),
            expires_at=expires,
        )
        await self._store.add_key(key)
        return key, token

    async def list_keys(self) -> list[Key]:
        return await self._store.keys()

    async def revoke_key(self, key_id: str) -> bool:
        """End a key at once; False when there is none or it had ended."""
        is_ended = await self._store.revoke_key(key_id, self._clock.now())
        for hashed in [hashed for hashed, (key, __) in self._known.items() if key.id == key_id]:
            del self._known[hashed]
        self._rates.forget(key_id)
        return is_ended

    def drop(self, user_key: str) -> None:
        """Forget at once the keys of somebody whose rows were deleted."""
        for hashed in [hashed for hashed, (key, __) in self._known.items() if key.user_key == user_key]:
            del self._known[hashed]

    async def verify_key(self, token: str, *, remote: str = "", takes_turn: bool = True) -> Person | None:
        """Return who a key's bearer is; None when it is no key of ours or has ended.

        Args:
            token: what was sent, `esl_...`.
            remote: the address it came from; after too many wrong keys from there, further wrong ones are told to
                wait. A good one never is: behind a proxy everybody has one address.
            takes_turn: whether it counts against the key's rate.

        Raises:
            LimitReached: too many wrong keys, this one among them, or too many requests with this one.
        """
        key = await self._key_of(token)
        now = self._clock.now()
        if key is None or key.revoked_at or (key.expires_at and key.expires_at <= now):
            self._guesses.check(remote)
            self._guesses.count(remote)
            return None
        if takes_turn:
            await self._take_turn(key)
        return Person(user_key=key.user_key, name=key.name, door=OPEN_DOOR, scopes=key.scopes, how="key")

    async def open_session(self, user_key: str, name: str) -> tuple[Person, str]:
        """Begin a session; the second value is the cookie's, stored nowhere."""
        token, now = secrets.token_urlsafe(32), self._clock.now()
        row = SessionRow(
            hash=_hash(token),
            user_key=user_key,
            name=name,
            expires_at=now + timedelta(seconds=SESSION_S),
        )
        await self._store.add_session(row, now)
        return self._person(row), token

    async def verify_session(self, token: str) -> Person | None:
        """Return who signed in with the browser that has this cookie; None when the session has ended."""
        row = await self._store.session(_hash(token))
        if row is None or row.expires_at <= self._clock.now():
            return None
        return self._person(row)

    async def close_session(self, token: str) -> bool:
        return await self._store.close_session(_hash(token))

    def sign(self, subject: str, ttl_s: float) -> str:
        """Return a token that proves for `ttl_s` seconds that we gave it out for `subject`."""
        return self._tokens.issue(subject, ttl_s, self._clock.now())

    def subject_of(self, token: str) -> str:
        """Return what a token was given out for; "" when it has expired or is none of ours."""
        opened = self._tokens.open(token, self._clock.now())
        return opened.text if opened else ""

    def unsign(self, token: str, subject: str) -> bool:
        """Return whether `token` was given out for exactly this subject and is still good."""
        return self.subject_of(token) == subject

    def sign_in_link(self, user_key: str, name: str, ttl_s: float) -> str:
        """Return a token for an "Open in studio" link: whoever has it acts as that person until it expires."""
        return self.sign(f"{SIGN_IN}{user_key}\n{name}", ttl_s)

    def verify_link(self, token: str) -> Person | None:
        """Return who an "Open in studio" link was made for; never an admin, since links get shared."""
        subject = self.subject_of(token)
        if not subject.startswith(SIGN_IN):
            return None
        user_key, __, name = subject.removeprefix(SIGN_IN).partition("\n")
        return Person(user_key=user_key, name=name, door=OPEN_DOOR, scopes=frozenset({"read", "generate"}), how="link")

    def link_left_s(self, token: str) -> float:
        """Return for how many seconds a link still lets somebody in; 0 when it has expired or is none of ours."""
        opened = self._tokens.open(token, self._clock.now())
        return opened.left_s if opened and opened.text.startswith(SIGN_IN) else 0.0

    def _person(self, row: SessionRow) -> Person:
        is_admin = row.user_key in self._admins
        return Person(
            user_key=row.user_key,
            name=row.name,
            door=OPEN_DOOR,
            scopes=frozenset(SCOPES if is_admin else ("read", "generate")),
            how="session",
        )

    async def _key_of(self, token: str) -> Key | None:
        if not token.startswith(TOKEN_PREFIX):
            return None
        hashed, monotonic = _hash(token), self._clock.monotonic()
        known = self._known.get(hashed)
        if known and monotonic - known[1] < CACHE_S:
            return known[0]
        key = await self._store.key_by_hash(hashed)
        if key is None or not hmac.compare_digest(key.hash, hashed):
            self._known.pop(hashed, None)
            return None
        now = self._clock.now()
        if key.last_used_at is None or (now - key.last_used_at).total_seconds() >= TOUCH_EVERY_S:
            await self._store.touch_key(key.id, now)
        _remember(self._known, hashed, (key, monotonic))
        return key

    async def _take_turn(self, key: Key) -> None:
        if key.rate_per_minute is None:
            return
        if wait_s := await self._rates.take(key.id, key.rate_per_minute):
            raise LimitReached(
                _(
                    "This key may be used {rate_per_minute:g} times a minute. Please wait.",
                    rate_per_minute=key.rate_per_minute,
                ),
                retry_after=wait_s,
            )

    def _check_key(
        self, name: str, scopes: frozenset[str], user_key: str | None, rate: float | None, expires: datetime | None
    ) -> None:
        if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise RequestRejected(
                _("A key needs a name of 1 to {most} characters.", most=MAX_NAME_CHARS),
                field="name",
            )
        if not scopes or scopes - {*SCOPES}:
            wrong = ", ".join(sorted(scopes - {*SCOPES})) or _("none at all")
            raise RequestRejected(
                _("A key may have the scopes {scopes}, not {wrong}.", scopes=", ".join(SCOPES), wrong=wrong),
                field="scopes",
            )
        if user_key is not None and not all(user_key.partition(":")):
            raise RequestRejected(_("A user is written like discord:123."), field="user_key")
        if rate is not None and not 1 <= rate <= MAX_RATE_PER_MINUTE:
            raise RequestRejected(
                _(
                    "A key may be used 1 to {most:g} times a minute.",
                    most=MAX_RATE_PER_MINUTE,
                ),
                field="rate_per_minute",
            )
        if expires is not None and expires <= self._clock.now():
            raise RequestRejected(_("The date on which a key ends must lie ahead."), field="expires")


class Guesses:
    """Counts wrong keys by address ("" is nobody's); memory is bounded, the oldest address is forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, until when they count

    def check(self, remote: str) -> None:
        """Refuse an address that guesses.

        Raises:
            LimitReached: with the seconds to wait.
        """
        count, until = self._seen.get(_network(remote), (0, 0.0))
        wait_s = until - self._clock.monotonic()
        if count >= GUESSES and wait_s > 0:
            raise LimitReached(_("Too many wrong keys came from this address. Please wait."), retry_after=wait_s)

    def count(self, remote: str) -> None:
        """Note one wrong key."""
        if not remote:
            return
        place, now = _network(remote), self._clock.monotonic()
        count, until = self._seen.get(place, (0, 0.0))
        count = count + 1 if until > now else 1
        if count >= GUESSES:
            until = now + GUESS_BLOCK_S
        elif count == 1:
            until = now + GUESS_WINDOW_S
        _remember(self._seen, place, (count, until))


def _network(remote: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


def _remember(into: "OrderedDict[str, T]", name: str, value: T) -> None:
    into[name] = value
    into.move_to_end(name)
    while len(into) > MAX_REMEMBERED:
        into.popitem(last=False)


def _hash(token: str) -> str:
    """Hash a token. One sha256 is enough: it holds 32 random bytes, so there is nothing to guess faster."""
    return sha256(token.encode()).hexdigest()
