"""A mail server for the tests: Debian's python3-aiosmtpd, which keeps in a Maildir what it takes."""
import argparse
import asyncio
import ssl

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, required=True)
options.add_argument("--maildir", required=True)
options.add_argument("--certificate", help="with its key, in one PEM file; TLS is required then")
options.add_argument("--smtps", action="store_true", help="TLS from the first byte instead of STARTTLS")
options.add_argument("--refuse", action="append", default=[], help="address=answer, such as gone@example.com=550")
options.add_argument("--refuse-twice", action="append", default=[], help="the same, but the third time it is taken")
options.add_argument("--user")
options.add_argument("--password")
options = options.parse_args()


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (options.user.encode(), options.password.encode()), handled=False)


refused = dict(one.split("=") for one in options.refuse + options.refuse_twice)
patience = {one.split("=")[0]: 2 for one in options.refuse_twice}


class Keeper(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        patience[address] = patience.get(address, 1 << 30) - 1
        if address in refused and patience[address] >= 0:
            return refused[address] + " not now or never"
        envelope.rcpt_tos.append(address)
        return "250 OK"


async def main():
    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate)
    starttls = None if options.smtps else tls
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            Keeper(options.maildir), hostname="localhost", tls_context=starttls, require_starttls=starttls is not None,
            authenticator=authenticate if options.user else None, auth_required=options.user is not None,
            auth_require_tls=starttls is not None),
        "127.0.0.1", options.port, ssl=tls if options.smtps else None)
    await server.serve_forever()


asyncio.run(main())
