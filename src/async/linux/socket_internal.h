/* socket_internal: the sockets of Linux, for drivers that do some of it in their own way. See
 * struct io_socket_ops for what each does. */
#pragma once

#include "async/io.h"

int linux_open(struct io_driver *d, int family);
int linux_listen(struct io_driver *d, const struct sockaddr *sa, socklen_t len, bool shared);
void linux_unlisten(struct io_driver *d, const struct sockaddr *sa);
int linux_name(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len);
int linux_peer(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len);
void linux_no_delay(struct io_driver *d, int fd);
void linux_send_end(struct io_driver *d, int fd);
void linux_drop(int fd);
