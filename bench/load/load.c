// The clients and the servers behind the proxies, in one thread on one epoll: a proxy that is pinned to a core of its own
// is then always the slower one. Only for loopback. It ends when its standard input does.
//
// First it prints the ports of its servers, {"echo":[…],"sink":…,"datagramEcho":…}, then it runs one order a line and prints what came out:
//   round-trips PORT LANES BYTES MS   each lane keeps one connection and sends the next message when one has come back
//   connections PORT LANES BYTES MS   each lane connects, makes one round trip, closes, and begins again
//   datagrams PORT LANES BYTES MS     each lane has one UDP socket and sends the next datagram when one has come back
//   bulk PORT LANES BYTES MS          each lane sends, in writes of BYTES, as fast as it is taken
// Each may be followed by PORT PATH: a page that is fetched meanwhile, again as soon as it has come.
// {"operations":…,"failed":…,"elapsedMs":…,"p50Us":…,"p99Us":…,"p999Us":…,"late":…,"pages":…,"pageMs":…}; an operation of `bulk` is
// a byte that has arrived, `late` are operations of more than a millisecond, `pageMs` is what the pages took together.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// Many tuples of address and port, so that those in TIME_WAIT do not run out.
enum { ECHO_SERVERS = 8, CLIENT_ADDRESSES = 8, BACKLOG = 1024, MOST_FDS = 8192, BUFFER = 1 << 20, MOST_US = 1 << 20,
       SETTLE_MS = 500, LOST_MS = 3000 };

enum role { FREE, STDIN, ECHO_LISTENER, SINK_LISTENER, ECHO, SINK, DATAGRAM_ECHO, PINGING, CONNECTING, SENDING, ASKING, READING_PAGE };

struct peer {
  enum role role;
  int received; // of the message under way
  long startedNs;
};

struct order {
  char name[32];
  int port, lanes, bytes, ms;
};

static int loop;
static struct peer peers[MOST_FDS];
static char buffer[BUFFER];
static struct order order;
static long operations, sunkBytes, failed;
static unsigned samples[MOST_US]; // how many operations took so many microseconds
static unsigned nextAddress;
static int isOver; // no new datagrams
static struct page {
  int port;
  char path[96];
  long count, startedNs, tookNs;
} page;

static long nowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void check(int isFine, const char *what) {
  if (isFine) return;
  perror(what);
  exit(1);
}

static void watch(int fd, enum role role, unsigned events) {
  check(fd >= 0 && fd < MOST_FDS, "descriptor");
  peers[fd] = (struct peer){.role = role};
  struct epoll_event event = {.events = events, .data.fd = fd};
  check(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void drop(int fd) {
  peers[fd].role = FREE;
  close(fd);
}

static struct sockaddr_in loopback(unsigned host, int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000000 + host)};
}

static int serve(enum role role) {
  struct sockaddr_in address = loopback(1, 0);
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  check(bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, BACKLOG) == 0, "listen");
  check(getsockname(fd, (struct sockaddr *)&address, &length) == 0, "getsockname");
  watch(fd, role, EPOLLIN);
  return ntohs(address.sin_port);
}

static int serveDatagrams(void) {
  struct sockaddr_in address = loopback(1, 0);
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  check(bind(fd, (struct sockaddr *)&address, length) == 0, "bind");
  check(getsockname(fd, (struct sockaddr *)&address, &length) == 0, "getsockname");
  watch(fd, DATAGRAM_ECHO, EPOLLIN);
  return ntohs(address.sin_port);
}

static void acceptAll(int listener, enum role role) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd, role, EPOLLIN);
  }
}

static void echo(int fd) {
  ssize_t count = recv(fd, buffer, sizeof buffer, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0 || send(fd, buffer, count, MSG_NOSIGNAL) != count) drop(fd);
}

static void echoDatagram(int fd) {
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  ssize_t count = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
  if (count >= 0) sendto(fd, buffer, count, 0, (struct sockaddr *)&from, length);
}

static void sink(int fd) {
  // MSG_TRUNC: counted and thrown away without a copy.
  ssize_t count = recv(fd, buffer, sizeof buffer, MSG_TRUNC);
  if (count > 0) sunkBytes += count;
  else if (count == 0 || errno != EAGAIN) drop(fd);
}

static void sendMessage(int fd) {
  peers[fd].received = 0;
  peers[fd].startedNs = nowNs();
  send(fd, buffer, order.bytes, MSG_NOSIGNAL);
}

static void open_(enum role role) {
  long startedNs = nowNs();
  struct sockaddr_in from = loopback(2 + nextAddress++ % CLIENT_ADDRESSES, 0), to = loopback(1, order.port);
  int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  check(bind(fd, (struct sockaddr *)&from, sizeof from) == 0, "bind");
  // On loopback this returns at once, because the kernel answers for a proxy that is busy; if it does not, the run ends.
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 2}, sizeof(struct timeval));
  check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(fd, role, role == SENDING ? EPOLLOUT : EPOLLIN);
  if (role == SENDING) return;
  sendMessage(fd);
  if (role == CONNECTING) peers[fd].startedNs = startedNs;
}

static void askDatagram(void) {
  struct sockaddr_in to = loopback(1, order.port);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
  watch(fd, ASKING, EPOLLIN);
  sendMessage(fd);
}

static void countOperation(int fd) {
  long us = (nowNs() - peers[fd].startedNs) / 1000;
  samples[us < MOST_US ? us : MOST_US - 1] += 1;
  operations += 1;
}

static void receiveDatagram(int fd) {
  ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count == order.bytes) countOperation(fd);
  else failed += 1;
  if (isOver) drop(fd);
  else sendMessage(fd);
}

static void receiveReply(int fd) {
  struct peer *peer = &peers[fd];
  ssize_t count = recv(fd, buffer, order.bytes - peer->received, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) failed += 1;
  else if ((peer->received += count) < order.bytes) return;
  else countOperation(fd);
  if (count > 0 && peer->role == PINGING) {
    sendMessage(fd);
    return;
  }
  enum role role = peer->role;
  drop(fd);
  open_(role);
}

static void sendMore(int fd) {
  if (send(fd, buffer, order.bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 || errno == EAGAIN) return;
  failed += 1;
  drop(fd);
}

static void fetchPage(void) {
  char request[256];
  struct sockaddr_in to = loopback(1, page.port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
  watch(fd, READING_PAGE, EPOLLIN);
  page.startedNs = nowNs();
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", page.path);
  check(send(fd, request, length, MSG_NOSIGNAL) == length, "send");
}

static void readPage(int fd) {
  // MSG_TRUNC: thrown away without a copy, so that reading takes nothing from the clients and servers beside it.
  ssize_t count = recv(fd, buffer, sizeof buffer, MSG_TRUNC | MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) return;
  if (count < 0) failed += 1;
  page.tookNs += nowNs() - page.startedNs;
  page.count += 1;
  drop(fd);
  fetchPage();
}

static void handle(int fd) {
  switch (peers[fd].role) {
    case ECHO_LISTENER: return acceptAll(fd, ECHO);
    case SINK_LISTENER: return acceptAll(fd, SINK);
    case ECHO: return echo(fd);
    case SINK: return sink(fd);
    case PINGING:
    case CONNECTING: return receiveReply(fd);
    case SENDING: return sendMore(fd);
    case DATAGRAM_ECHO: return echoDatagram(fd);
    case ASKING: return receiveDatagram(fd);
    case READING_PAGE: return readPage(fd);
    default: return;
  }
}

static void turn(int timeoutMs) {
  struct epoll_event events[256];
  int count = epoll_wait(loop, events, 256, timeoutMs);
  for (int index = 0; index < count; index++) handle(events[index].data.fd);
}

static int isClient(enum role role) {
  return role == PINGING || role == CONNECTING || role == SENDING || role == ASKING || role == READING_PAGE;
}

static int percentileUs(double share) {
  long wanted = share * operations, seen = 0;
  for (int us = 0; us < MOST_US; us++)
    if ((seen += samples[us]) > wanted) return us;
  return 0;
}

static long countAbove(int limitUs) {
  long count = 0;
  for (int us = limitUs + 1; us < MOST_US; us++) count += samples[us];
  return count;
}

static void dropClients(void) {
  for (int fd = 0; fd < MOST_FDS; fd++)
    if (isClient(peers[fd].role)) drop(fd);
}

static int countRole(enum role role) {
  int count = 0;
  for (int fd = 0; fd < MOST_FDS; fd++) count += peers[fd].role == role;
  return count;
}

// Nothing says that a datagram is lost, other than that its echo does not come.
static int lostDatagrams(void) {
  isOver = 1;
  for (long endNs = nowNs() + LOST_MS * 1000000L; countRole(ASKING) > 0 && nowNs() < endNs;) turn(100);
  isOver = 0;
  return countRole(ASKING);
}

static int hasSessions(void) {
  for (int fd = 0; fd < MOST_FDS; fd++)
    if (peers[fd].role == ECHO || peers[fd].role == SINK) return 1;
  return 0;
}

static void run(enum role role) {
  operations = sunkBytes = failed = 0;
  page.count = page.tookNs = 0;
  memset(samples, 0, sizeof samples);
  long startNs = nowNs(), untilNs = startNs + order.ms * 1000000L;
  for (int lane = 0; lane < order.lanes; lane++) {
    if (role == ASKING) askDatagram();
    else open_(role);
  }
  if (page.port != 0) fetchPage();
  while (nowNs() < untilNs) turn(100);
  double elapsedMs = (nowNs() - startNs) / 1e6;
  if (role == SENDING) operations = sunkBytes;
  int p50Us = percentileUs(0.5), p99Us = percentileUs(0.99), p999Us = percentileUs(0.999);
  long counted = operations, late = countAbove(1000);
  failed += lostDatagrams();
  dropClients();
  // What is on its way must not disturb the next proxy's turn.
  for (long endNs = nowNs() + SETTLE_MS * 1000000L; hasSessions() && nowNs() < endNs;) turn(10);
  printf("{\"operations\":%ld,\"failed\":%ld,\"elapsedMs\":%.3f,\"p50Us\":%d,\"p99Us\":%d,\"p999Us\":%d,\"late\":%ld,"
         "\"pages\":%ld,\"pageMs\":%.3f}\n",
         counted, failed, elapsedMs, p50Us, p99Us, p999Us, late, page.count, page.tookNs / 1e6);
}

int main(void) {
  // Only whole orders are read from standard input, so it can be asked for without waiting.
  char line[256];
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  loop = epoll_create1(0);
  printf("{\"echo\":[");
  for (int index = 0; index < ECHO_SERVERS; index++) printf(index ? ",%d" : "%d", serve(ECHO_LISTENER));
  printf("],\"sink\":%d,\"datagramEcho\":%d}\n", serve(SINK_LISTENER), serveDatagrams());
  watch(STDIN_FILENO, STDIN, EPOLLIN);
  for (;;) {
    struct epoll_event event;
    if (epoll_wait(loop, &event, 1, -1) < 1) continue;
    if (peers[event.data.fd].role != STDIN) {
      handle(event.data.fd);
      continue;
    }
    if (fgets(line, sizeof line, stdin) == NULL) return 0;
    page.port = 0;
    check(sscanf(line, "%31s %d %d %d %d %d %95s", order.name, &order.port, &order.lanes, &order.bytes, &order.ms,
                 &page.port, page.path) >= 5, line);
    if (strcmp(order.name, "round-trips") == 0) run(PINGING);
    else if (strcmp(order.name, "connections") == 0) run(CONNECTING);
    else if (strcmp(order.name, "datagrams") == 0) run(ASKING);
    else if (strcmp(order.name, "bulk") == 0) run(SENDING);
  }
}
