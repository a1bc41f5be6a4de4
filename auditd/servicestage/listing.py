"""The answer to ListAuthorizations, turned into this program's own terms.

Strict about the shape, because a list that is misread as empty would end every alert; about
fields see `listed_entry`.

Source: ServiceStage API reference, "Querying Git Repository Authorizations"
(support.huaweicloud.com/api-servicestage/servicestage_06_0092.html).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import msgspec

from auditd.audit.authorization import Listing
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.json_body import decode
from auditd.servicestage.listed_entry import ABSENT, WHAT, authorization_of, integer, is_null


class _Body(msgspec.Struct):
    authorizations: list[msgspec.Raw] | None
    count: msgspec.Raw = ABSENT


@dataclass(frozen=True, slots=True)
class _Imprint:
    """What a body is known by again.

    Bodies and entries are told apart by `hash`, which is SipHash with a secret key of this
    process: of 2^64 changes one is overlooked, and nobody outside can choose it. An overlooked
    one is seen with the next change.
    """

    size: int
    digest: int
    of_entries: array[int]


def parse_listing(body: bytes, known: Listing | None = None) -> Listing:
    """The authorizations in `body`, in the order in which they were sent.

    `count` may be missing; one that differs from the number of entries is the warning
    `count_mismatch`. `null` is the empty list only beside `count: 0`.

    Args:
        body: the answer.
        known: an earlier listing. It is the result if this one is the same; else its
            authorizations are part of the result where they are.

    Raises:
        PollError: MALFORMED when there is no list, or an entry is no object or has no name;
            TOO_LARGE when there are too many objects.
    """
    former = known.imprint if known and isinstance(known.imprint, _Imprint) else None
    digest = hash(body)
    if known and former and (former.size, former.digest) == (len(body), digest):
        return known
    answer = decode(body, _Body, what=WHAT)
    count = integer(answer.count)
    if answer.authorizations is None and count != 0:
        msg = "the answer has no list of authorizations: it is null, and the count is not 0"
        raise PollError(FailureReason.MALFORMED, msg)
    entries = answer.authorizations or []
    imprint = _Imprint(len(body), digest, array("q", map(hash, map(bytes, entries))))
    read = (
        dict(zip(former.of_entries, known.authorizations, strict=True)) if known and former else {}
    )
    found = map(read.get, imprint.of_entries)
    authorizations = tuple(
        [each or authorization_of(bytes(entry)) for each, entry in zip(found, entries, strict=True)]
    )
    is_mismatch = not is_null(answer.count) and count != len(authorizations)
    return Listing(authorizations, ("count_mismatch",) if is_mismatch else (), imprint)
