// SPDX-License-Identifier: Apache-2.0
// A byte to and fro over TCP, again and again, as netperf's TCP_RR does it (netperf itself is not
// in Debian's free part).
//   request_response -s PORT               answers, one connection after the other
//   request_response ADDRESS PORT SECONDS  prints transactions and the nanoseconds that they took
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int fail(const char* what) {
  perror(what);
  return 1;
}

static void at_once(int connection) {
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int serve(const struct sockaddr_in* address) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (const struct sockaddr*)address, sizeof *address) != 0) return fail("bind");
  if (listen(listener, 8) != 0) return fail("listen");
  for (;;) {
    const int connection = accept(listener, NULL, NULL);
    if (connection < 0) return fail("accept");
    at_once(connection);
    char byte;
    while (read(connection, &byte, 1) == 1 && write(connection, &byte, 1) == 1) continue;
    close(connection);
  }
}

static int ask(const struct sockaddr_in* address, double seconds) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (const struct sockaddr*)address, sizeof *address) != 0) {
    return fail("connect");
  }
  at_once(connection);
  const long long start = now();
  const long long end = start + (long long)(seconds * 1e9);
  long long time = start;
  long long transactions = 0;
  while (time < end) {
    char byte = 0;
    if (write(connection, &byte, 1) != 1) return fail("write");
    if (read(connection, &byte, 1) != 1) return fail("read");
    // A look at the clock takes 256 ns of a guest's time.
    if (++transactions % 16 == 0) time = now();
  }
  printf("%lld %lld\n", transactions, time - start);
  return 0;
}

int main(int argc, char** argv) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  if (argc == 3 && strcmp(argv[1], "-s") == 0) {
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    return serve(&address);
  }
  if (argc != 4 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
    fprintf(stderr, "request_response -s PORT | ADDRESS PORT SECONDS\n");
    return 2;
  }
  address.sin_port = htons((uint16_t)atoi(argv[2]));
  return ask(&address, atof(argv[3]));
}
