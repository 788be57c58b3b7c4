"""Puts hosts far away: a TCP proxy in front of each sshd that holds every byte back.

    far.py MILLISECONDS BYTES_PER_SECOND ADDRESS:PORT=ADDRESS:PORT...

For kernels without sch_netem. A connection is held as a handshake over such a link would hold it;
each direction then takes half of the round trip, and no more bytes in a second than are said (0: any).
What it does not imitate: loss, the slow start of TCP.
"""

import asyncio
import socket
import sys

CHUNK = 256 * 1024
# What may wait in front of a line of limited speed, in bytes: real ones do not hold megabytes.
WAITING = 64 * 1024


async def carry(reader, writer, delay, rate, not_before):
    """Each piece goes on `delay` after the line was done with it, in order; nothing before the handshake."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue(1 if rate else 0)

    async def deliver():
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    async def collect():
        free = 0
        while True:
            data = await reader.read(WAITING if rate else CHUNK)
            free = max(free, loop.time()) + (len(data) / rate if rate else 0)
            await pieces.put((max(free + delay, not_before), data))
            if not data:
                return

    try:
        await asyncio.gather(collect(), deliver())
    except OSError:
        writer.close()


async def serve(here, there, delay, rate):
    async def connected(reader, writer):
        # SYN, SYN-ACK and ACK: the far side hears of the connection after one and a half round trips.
        heard = asyncio.get_running_loop().time() + 3 * delay
        await asyncio.sleep(heard - asyncio.get_running_loop().time())
        far_reader, far_writer = await asyncio.open_connection(*there)
        there_and_back = [(reader, far_writer), (far_reader, writer)]
        await asyncio.gather(*(carry(*way, delay, rate, heard) for way in there_and_back))
        far_writer.close()
        writer.close()

    listener = socket.create_server(here, backlog=512)
    if rate:
        # Connections have it of the listener.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING)
    server = await asyncio.start_server(connected, sock=listener)
    await server.serve_forever()


def place(text):
    address, port = text.rsplit(":", 1)
    return address, int(port)


async def main(round_trip, rate, links):
    delay = float(round_trip) / 2000
    pairs = [tuple(map(place, link.split("="))) for link in links]
    await asyncio.gather(*(serve(here, there, delay, float(rate)) for here, there in pairs))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
