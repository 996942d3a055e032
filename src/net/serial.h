/* serial: a byte stream on a serial device: RS-485, RS-232, a USB adapter, a pseudo-terminal.
 *
 * Why: above it a stream is a stream (stream.h), so a protocol does not mind whether its bytes
 * come by TCP or by wire. Beneath it a terminal is no socket: the stream waits with the driver's
 * poll() and reads and writes without blocking, the same with io_uring and with epoll.
 * The device is raw (no echo, no control characters, no flow control, modem lines ignored) and
 * locked: nobody else who asks for a lock gets it (flock(), as most programs do), and nobody but
 * root can open it (TIOCEXCL; not on pseudo-terminals, where that would outlive us).
 * An adapter that is pulled out ends the stream with ERR_IO or ERR_CLOSED; when it is back it can
 * be opened again. Use a path that stays the same: /dev/serial/by-id/….
 * Ownership: as of any stream. Closing drops what has not been sent, so that it never waits.
 * Threads: serial_open() may block (a USB adapter is asked): call it on the offload pool.
 * stream_serial(): the worker's.
 * Errors: ERR_NOT_FOUND, ERR_DENIED (permissions), ERR_BUSY (somebody has it), ERR_UNSUPPORTED (no
 * terminal, a rate that the device refuses), ERR_INVALID, ERR_IO. */
#pragma once

#include "net/stream.h"

enum serial_parity { SERIAL_PARITY_EVEN, SERIAL_PARITY_ODD, SERIAL_PARITY_NONE };
enum { SERIAL_PATH_MAX = 200 };
struct serial_config {
    struct str path;
    uint32_t baud;             /* one of the usual 1,200 … 4,000,000; 0: 19,200 */
    enum serial_parity parity; /* Modbus' default is even */
    uint8_t data_bits;         /* 7 or 8; 0: 8 */
    uint8_t stop_bits;         /* 1 or 2; 0: 1 */
};
MUST_USE enum err serial_check(const struct serial_config *c, struct error *e);
/* "/dev/ttyUSB0 19200 8E1" */
void serial_format(const struct serial_config *c, char *out, size_t n);

MUST_USE enum err serial_open(const struct serial_config *c, int *fd, struct error *e);
/* Of a descriptor that serial_open() made; it is the stream's from here on, also when this fails.
 */
MUST_USE enum err stream_serial(struct stream **out, struct worker *w, int fd, struct task *task);
