/*
 * A terminal of a few lines: runs a program in a pty of 200x50, types at it and measures until something is seen. It is the limit (what C
 * reads from a pty) and the client of peers that draw on a terminal (tmux). Prints one line of numbers a measurement; owns no judgement.
 *
 *   probe flood LINE MARK -- CMD...          ms and bytes from typing LINE until MARK
 *   probe echo COUNT -- CMD...               microseconds from each key to its echo
 *   probe interrupt COUNT RATE LINE -- CMD...  ms from Ctrl-C to the next prompt, reading RATE bytes a second (0: all)
 *   probe seen MARK -- CMD...                ms from starting CMD until MARK
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *prompt = "READY> ";
static int fd;
static pid_t child;
/* Kept from one read to the next, so that a mark cut in two is found. */
static char keep[512];
static size_t kept;
static unsigned long long total;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fail(const char *what) {
  fprintf(stderr, "probe: %s\n", what);
  if (child > 0) kill(child, SIGKILL);
  exit(1);
}

static void begin(char **command) {
  struct winsize size = {.ws_row = 50, .ws_col = 200};
  child = forkpty(&fd, NULL, NULL, &size);
  if (child < 0) fail("no pty");
  if (child == 0) {
    setenv("PS1", prompt, 1);
    setenv("TERM", "xterm-256color", 1);
    execvp(command[0], command);
    _exit(127);
  }
}

static void type(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("the program does not read");
    bytes += n;
    length -= n;
  }
}

/* Reads at most `most` bytes; 1 when `mark` was among them (or across the last cut), 0 when not, fails after `patience` ms of silence. */
static int look(const char *mark, size_t most, int patience) {
  static char buffer[sizeof keep + 65536];
  size_t length = strlen(mark);
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  if (poll(&wait, 1, patience) <= 0) fail(mark);
  memcpy(buffer, keep, kept);
  ssize_t n = read(fd, buffer + kept, most < 65536 ? most : 65536);
  if (n <= 0) fail("the program ended");
  total += n;
  size_t have = kept + n;
  char *found = memmem(buffer, have, mark, length);
  if (found != NULL) {
    kept = 0;
    return 1;
  }
  kept = have < length - 1 ? have : length - 1;
  memcpy(keep, buffer + have - kept, kept);
  return 0;
}

static void until(const char *mark) {
  while (!look(mark, 65536, 20000)) {
  }
}

static void pause_ms(double ms) {
  struct timespec t = {.tv_sec = ms / 1e3, .tv_nsec = (long)(ms * 1e6) % 1000000000L};
  nanosleep(&t, NULL);
}

/* Reads for `ms` at `rate` bytes a second, in slices of 5 ms; stops early when `mark` is seen (1). */
static int read_slowly(const char *mark, double ms, double rate) {
  double start = now(), taken = 0;
  while (now() - start < ms) {
    double allowed = rate > 0 ? rate * (now() - start + 5) / 1e3 - taken : 65536;
    if (allowed < 1) {
      pause_ms(1);
      continue;
    }
    unsigned long long before = total;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 5) <= 0) continue;
    if (look(mark, (size_t)allowed, 1)) return 1;
    taken += total - before;
  }
  return 0;
}

int main(int count, char **word) {
  int at = 1;
  while (at < count && strcmp(word[at], "--") != 0) at++;
  if (count < 3 || at >= count - 1) {
    fprintf(stderr, "usage: see the top of probe.c\n");
    return 2;
  }
  char **command = word + at + 1;
  const char *mode = word[1];
  double start = now();
  begin(command);
  if (strcmp(mode, "seen") == 0) {
    until(word[2]);
    printf("%.3f\n", now() - start);
  } else if (strcmp(mode, "flood") == 0) {
    until(prompt);
    total = 0;
    start = now();
    type(word[2], strlen(word[2]));
    type("\r", 1);
    until(word[3]);
    printf("%.3f %llu\n", now() - start, total);
  } else if (strcmp(mode, "echo") == 0) {
    until(prompt);
    for (int i = 0; i < atoi(word[2]); i++) {
      const char *keys[] = {"%", "&", "!", "^", "~", "="};
      start = now();
      type(keys[i % 6], 1);
      until(keys[i % 6]);
      printf("%.1f\n", (now() - start) * 1e3);
      pause_ms(3);
    }
  } else if (strcmp(mode, "interrupt") == 0) {
    double rate = atof(word[3]);
    until(prompt);
    for (int i = 0; i < atoi(word[2]); i++) {
      type(word[4], strlen(word[4]));
      type("\r", 1);
      read_slowly("\x01never", 400, rate);
      kept = 0;
      start = now();
      type("\x03", 1);
      if (!read_slowly(prompt, 20000, rate)) fail("no prompt after Ctrl-C");
      printf("%.3f\n", now() - start);
      read_slowly("\x01never", 100, 0);
    }
  } else {
    fail("unknown mode");
  }
  fflush(stdout);
  kill(child, SIGHUP);
  close(fd);
  pause_ms(20);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}
