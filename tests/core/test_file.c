/* Files under a system that fails: every call it makes is wrapped (see CMakeLists.txt) and may be
   interrupted, cut short or refused. */

#include "check.h"
#include "folder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEVER = -1, BYTES = 1000 };

/* What happens from call number `at` (from 0) of these kinds on, `times` times. */
static struct {
  const char *calls; /* names with a space between */
  int at, times, seen;
  int error;   /* errno; 0: none                                  */
  int shorter; /* transfers move at most so many bytes; 0: as many as asked for */
  int lacking; /* errno with which renameat2 says that it does not exist here; 0: it does */
} fault;

static void no_fault(void)
{
  fault.calls = "";
  fault.shorter = fault.lacking = 0;
}

static void fail_calls(const char *calls, int at, int times, int error)
{
  fault.calls = calls;
  fault.at = at;
  fault.times = times;
  fault.error = error;
  fault.seen = 0;
  fault.shorter = 0;
}

/* This call is to fail; errno is set. */
static bool hit(const char *call)
{
  const char *place = strstr(fault.calls, call);
  const size_t length = strlen(call);

  if (fault.lacking && strcmp(call, "renameat2") == 0) {
    errno = fault.lacking;
    return true;
  }
  if (!place || (place[length] != ' ' && place[length] != '\0')) return false;
  const int number = fault.seen++;

  if (number < fault.at || number >= fault.at + fault.times) return false;
  errno = fault.error;
  return true;
}

static size_t shortened(size_t n)
{
  return fault.shorter > 0 && n > (size_t)fault.shorter ? (size_t)fault.shorter : n;
}

#define WRAP(result, name, parameters, arguments)                                              \
  result __real_##name parameters;                                                             \
  result __wrap_##name parameters;                                                             \
  result __wrap_##name parameters                                                              \
  {                                                                                            \
    return hit(#name) ? -1 : __real_##name arguments;                                          \
  }
/* clang-format off */
WRAP(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, shortened(n), at))
WRAP(ssize_t, pread, (int fd, void *bytes, size_t n, off_t at), (fd, bytes, shortened(n), at))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, unlink, (const char *path), (path))
/* clang-format on */

static int calm(void **state)
{
  (void)state;
  no_fault();
  return 0;
}

static void fill(unsigned char bytes[BYTES])
{
  for (int i = 0; i < BYTES; i++) bytes[i] = (unsigned char)(i * 7 + i / 256);
}

/* A file of these bytes. */
static void make(const char *name, const char *text)
{
  const int fd = ip_file_open(name, O_WRONLY | O_CREAT | O_EXCL);

  assert_true(fd >= 0);
  OK(ip_file_write(fd, name, text, strlen(text), 0));
  close(fd);
}

static void expect_text(const char *name, const char *text)
{
  char read_[64] = "";
  const int fd = ip_file_open(name, O_RDONLY);

  assert_true(fd >= 0);
  OK(ip_file_read(fd, name, read_, strlen(text), 0));
  assert_string_equal(read_, text);
  close(fd);
}

/* ---- open ---------------------------------------------------------------------------------- */

static void opened_again_after_interruptions(void **state)
{
  (void)state;
  fail_calls("open", 0, 3, EINTR);
  const int fd = ip_file_open("a", O_WRONLY | O_CREAT | O_EXCL);

  assert_true(fd >= 0);
  assert_int_equal(fault.seen, 4);
  assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  close(fd);
  unlink("a");
}

static void refusals_are_not_repeated(void **state)
{
  static const int error[] = {EIO, ENOSPC, EDQUOT, EACCES, EMFILE};

  (void)state;
  for (size_t i = 0; i < sizeof error / sizeof error[0]; i++) {
    fail_calls("open", 0, 9, error[i]);
    assert_int_equal(ip_file_open("a", O_RDONLY), -1);
    assert_int_equal(errno, error[i]);
    assert_int_equal(fault.seen, 1);
  }
}

/* ---- write and read ------------------------------------------------------------------------ */

/* Every interruption and every short transfer ends in the same bytes. */
static void every_byte_moves(void **state)
{
  unsigned char bytes[BYTES], back[BYTES];
  struct stat about;

  (void)state;
  fill(bytes);
  for (int shorter = 0; shorter < 400; shorter += 33)
    for (int n = 0; n < 4; n++) {
      const int fd = ip_file_open("a", O_RDWR | O_CREAT | O_TRUNC);

      memset(back, 0, sizeof back);
      fail_calls("pwrite pread", n, 2, EINTR);
      fault.shorter = shorter;
      OK(ip_file_write(fd, "a", bytes, BYTES, 50));
      fail_calls("pwrite pread", n, 2, EINTR);
      fault.shorter = shorter;
      OK(ip_file_read(fd, "a", back, BYTES, 50));
      assert_memory_equal(back, bytes, BYTES);
      assert_true(fstat(fd, &about) == 0 && about.st_size == BYTES + 50);
      close(fd);
    }
  unlink("a");
}

static void nothing_is_moved(void **state)
{
  const int fd = ip_file_open("a", O_RDWR | O_CREAT);

  (void)state;
  fail_calls("pwrite pread", 0, 9, EIO);
  OK(ip_file_write(fd, "a", NULL, 0, 7));
  OK(ip_file_read(fd, "a", NULL, 0, 7));
  assert_int_equal(fault.seen, 0);
  close(fd);
  unlink("a");
}

/* An error at the first, a middle and the last piece names the path and the system's reason. */
static void errors_of_transfers(void **state)
{
  static const int error[] = {ENOSPC, EIO, EDQUOT, EFBIG};
  unsigned char bytes[BYTES];

  (void)state;
  fill(bytes);
  for (size_t i = 0; i < sizeof error / sizeof error[0]; i++)
    for (int at = 0; at < 4; at++) {
      const int fd = ip_file_open("dir-less name", O_RDWR | O_CREAT | O_TRUNC);

      no_fault();
      OK(ip_file_write(fd, "dir-less name", bytes, BYTES, 0));
      fail_calls("pwrite", at, 1, error[i]);
      fault.shorter = 300;
      FAILS(ip_file_write(fd, "dir-less name", bytes, BYTES, 0), IP_ERR_IO, strerror(error[i]));
      fail_calls("pread", at, 1, error[i]);
      fault.shorter = 300;
      FAILS(ip_file_read(fd, "dir-less name", bytes, BYTES, 0), IP_ERR_IO, "dir-less name");
      close(fd);
    }
  unlink("dir-less name");
}

static void end_of_file_is_said(void **state)
{
  unsigned char bytes[BYTES];
  const int fd = ip_file_open("a", O_RDWR | O_CREAT);

  (void)state;
  fill(bytes);
  OK(ip_file_write(fd, "a", bytes, 600, 0));
  fault.shorter = 256;
  FAILS(ip_file_read(fd, "a", bytes, BYTES, 0), IP_ERR_DATA, "a ends after 600 bytes");
  FAILS(ip_file_read(fd, "a", bytes, 1, 4000), IP_ERR_DATA, "a ends after 4000 bytes");
  close(fd);
  unlink("a");
}

/* A system that takes nothing, and says no error, is not asked for ever. */
static void a_full_system_ends(void **state)
{
  const int fd = ip_file_open("/dev/full", O_WRONLY);

  (void)state;
  assert_true(fd >= 0);
  FAILS(ip_file_write(fd, "/dev/full", "x", 1, 0), IP_ERR_IO, strerror(ENOSPC));
  close(fd);
}

/* ---- sync ---------------------------------------------------------------------------------- */

static void syncs(void **state)
{
  static const int error[] = {EIO, ENOSPC, EDQUOT};
  const int fd = ip_file_open("a", O_RDWR | O_CREAT);

  (void)state;
  fail_calls("fdatasync", 0, 5, EINTR);
  OK(ip_file_sync(fd, "a"));
  assert_int_equal(fault.seen, 6);
  for (size_t i = 0; i < sizeof error / sizeof error[0]; i++) {
    fail_calls("fdatasync", 0, 1, error[i]);
    FAILS(ip_file_sync(fd, "a"), IP_ERR_IO, strerror(error[i]));
    assert_int_equal(fault.seen, 1);
  }
  close(fd);
  unlink("a");
}

/* ---- publish ------------------------------------------------------------------------------- */

static void published(const char *folder_of, const char *path, bool replace)
{
  char partial[64];

  snprintf(partial, sizeof partial, "%s/p", folder_of);
  make(partial, "new");
  OK(ip_file_publish(partial, path, replace));
  expect_text(path, "new");
  assert_int_equal(access(partial, F_OK), -1);
  unlink(path);
}

static void interrupted_at_every_call(void **state)
{
  static const char all[] = "rename renameat2 link unlink open fsync";

  (void)state;
  for (int n = 0; n < 4; n++)
    for (int replace = 0; replace < 2; replace++) {
      no_fault();
      make("p", "new");
      if (replace) make("x", "old");
      fail_calls(all, n, 2, EINTR);
      OK(ip_file_publish("p", "x", replace != 0));
      no_fault();
      expect_text("x", "new");
      assert_int_equal(access("p", F_OK), -1);
      unlink("x");
    }
}

static void given_any_folder(void **state)
{
  char path[64];

  (void)state;
  published(".", "x", false);
  published(".", "./x", true);
  snprintf(path, sizeof path, "%s/x", folder);
  published(folder, path, false);
}

/* Without replace a taken name stays with its owner; both files stand as they were. */
static void a_taken_name_is_kept(void **state)
{
  static const int lacking[] = {0, EINVAL,
                                ENOSYS}; /* renameat2: there, unknown to NFS, to Linux */

  (void)state;
  for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++) {
    make("p", "new");
    make("x", "old");
    fault.lacking = lacking[i];
    FAILS(ip_file_publish("p", "x", false), IP_ERR_CREATE, strerror(EEXIST));
    no_fault();
    expect_text("x", "old");
    expect_text("p", "new");
    unlink("p");
    unlink("x");
  }
}

/* Where renameat2 is unknown a link does it, also when its calls are interrupted. */
static void published_by_link(void **state)
{
  (void)state;
  for (int n = 0; n < 3; n++) {
    make("p", "new");
    fail_calls("link unlink", n, 2, EINTR);
    fault.lacking = n == 1 ? ENOSYS : EINVAL;
    OK(ip_file_publish("p", "x", false));
    no_fault();
    expect_text("x", "new");
    assert_int_equal(access("p", F_OK), -1);
    unlink("x");
  }
}

static void errors_of_publishing(void **state)
{
  static const struct {
    const char *call;
    int error;
    PetscErrorCode code;
    bool replace;
  } row[] = {
      {"renameat2", ENOSPC, IP_ERR_CREATE, false},
      {"renameat2", EIO,    IP_ERR_CREATE, false},
      {"renameat2", EDQUOT, IP_ERR_CREATE, false},
      {"rename",    ENOSPC, IP_ERR_CREATE, true },
      {"rename",    EIO,    IP_ERR_CREATE, true },
      {"open",      EIO,    IP_ERR_IO,     true },
      {"open",      EMFILE, IP_ERR_IO,     false},
      {"fsync",     EIO,    IP_ERR_IO,     true },
      {"fsync",     ENOSPC, IP_ERR_IO,     false},
  };

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    make("p", "new");
    fail_calls(row[i].call, 0, 1, row[i].error);
    FAILS(ip_file_publish("p", "x", row[i].replace), row[i].code, strerror(row[i].error));
    no_fault();
    expect_text(row[i].code == IP_ERR_CREATE ? "p" : "x", "new");
    unlink("p");
    unlink("x");
  }
}

/* Some file systems have nothing to sync of a folder, and say so. */
static void a_folder_without_sync(void **state)
{
  (void)state;
  make("p", "new");
  fail_calls("fsync", 0, 1, EINVAL);
  OK(ip_file_publish("p", "x", true));
  unlink("x");
}

static void a_folder_that_is_gone(void **state)
{
  (void)state;
  make("p", "new");
  FAILS(ip_file_publish("p", "gone/x", true), IP_ERR_CREATE, strerror(ENOENT));
  FAILS(ip_file_publish("p", "gone/x", false), IP_ERR_CREATE, "gone/x");
  expect_text("p", "new");
  unlink("p");
}

static void folders(void **state)
{
  static const char *const row[][2] = {
      {"x",      "."   },
      {"./x",    "."   },
      {"/x",     "/"   },
      {"/a/b/x", "/a/b"},
      {"a b/x",  "a b" },
      {"a/",     "a"   },
      {"",       "."   },
  };

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    char *made = NULL;

    OK(ip_file_folder(row[i][0], &made));
    assert_string_equal(made, row[i][1]);
    ip_release(&made);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(opened_again_after_interruptions, calm),
      cmocka_unit_test_teardown(refusals_are_not_repeated, calm),
      cmocka_unit_test_teardown(every_byte_moves, calm),
      cmocka_unit_test_teardown(nothing_is_moved, calm),
      cmocka_unit_test_teardown(errors_of_transfers, calm),
      cmocka_unit_test_teardown(end_of_file_is_said, calm),
      cmocka_unit_test_teardown(a_full_system_ends, calm),
      cmocka_unit_test_teardown(syncs, calm),
      cmocka_unit_test_teardown(interrupted_at_every_call, calm),
      cmocka_unit_test_teardown(given_any_folder, calm),
      cmocka_unit_test_teardown(a_taken_name_is_kept, calm),
      cmocka_unit_test_teardown(published_by_link, calm),
      cmocka_unit_test_teardown(errors_of_publishing, calm),
      cmocka_unit_test_teardown(a_folder_without_sync, calm),
      cmocka_unit_test_teardown(a_folder_that_is_gone, calm),
      cmocka_unit_test_teardown(folders, calm),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  no_fault();
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
