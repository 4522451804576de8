"""Files that the state names: each joins its appeal once, as what anybody else sends would."""

from datetime import datetime

from domain.appeals import commands as c
from domain.appeals import rules
from domain.appeals.desk import Desk
from domain.appeals.uploads import take
from domain.appeals.use_cases import bind
from domain.eotinish.model import MessageState
from domain.eotinish.ports import Wanted
from domain.ports import UnitOfWork, Upload
from domain.reference import Reference


async def attach(
    file: Wanted, upload: Upload, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> MessageState | None:
    """Let a cleaned file join its appeal, whatever became of that meanwhile; the caller commits.

    REPEATED where the appeal has the same file already, as when the state names what the city
    itself had sent; None where another worker was first.
    """
    appeal = await uow.appeals.get(file.own_number)
    if not await uow.exchange.awaits(file.id):
        return None
    if await uow.exchange.has_file(appeal, {upload.sha256, upload.original_sha256}):
        await uow.exchange.settle_file(file.id, MessageState.REPEATED, at)
        return MessageState.REPEATED
    await uow.attachments.add(upload)
    taken = await take((upload.id,), "/file", uow)
    desk = Desk(uow.principal, reference, at, taken)
    uow.appeals.save(bind(appeal, rules.attach(appeal, c.Attach((upload.id,)), desk), desk))
    await uow.exchange.settle_file(file.id, MessageState.DONE, at)
    return MessageState.DONE
