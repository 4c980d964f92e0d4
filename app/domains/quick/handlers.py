"""The task of this domain's own: `shops` owns the intake of messages, but lies below and cannot declare one."""

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.quick import service
from app.domains.quick.schemas import Line, Nothing, Outcome, Preview, Task


def _preview(uow: UnitOfWork, form: Nothing, locale: str) -> Preview:
    return Preview(
        [
            Line(mark("Topic"), "shop/update"),
            Line(mark("Changes"), mark("Nothing: it says what is known already."), "words"),
        ]
    )


def _run(uow: UnitOfWork, form: Nothing) -> Outcome:
    delivery, verified, stored = service.test_webhook(uow)
    return Outcome(
        mark("A test message was sent."),
        template="admin/quick/_webhook_test.html",
        view={"delivery": delivery, "verified": verified, "stored": stored, "handled": None},
    )


service.register_task(
    Task(
        key="test-webhook",
        title=mark("Test Shopify's messages"),
        text=mark("Send a signed test message the way Shopify does and see how long each stage takes."),
        icon="webhook",
        permission=Permission.SETTINGS_WRITE,
        form=Nothing,
        template="admin/quick/_no_fields.html",
        submit=mark("Send test message"),
        preview=_preview,
        run=_run,
        stays=True,
        position=90,
    )
)
