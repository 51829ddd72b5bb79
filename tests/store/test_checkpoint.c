/* The file of checkpoints: what was saved comes back whole or not at all, the newest that fits,
   and nothing that is written or damaged later can harm what the next launch takes over. */

#include "../study/study.h"
#include "folder.h"
#include <fcntl.h>
#include <infoplane/store.h>
#include <signal.h>
#include <slots.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 6, LEFT = 300, RIGHT = 5001 };

static study s;
static int8_t pending[RUNS];

static int enter(void **state)
{
  s = study_of("dataset: {samples: 64}\nnetwork: {hidden: [40, 8]}\nrepeat: 6\n"
               "train: {epochs: 3}\nlook: [1]\nestimate: [{kind: binning, bins: 30}]\n");
  return folder_enter(state);
}

static int leave(void **state)
{
  study_clear(&s);
  return folder_leave(state);
}

static ip_checkpoints_of of(int rank, int ranks, uint64_t token)
{
  return (ip_checkpoints_of){.path = "x.h5",
                             .plan = s.plan,
                             .build = "build-one",
                             .token = token,
                             .rank = rank,
                             .ranks = ranks};
}

static size_t begin(int ranks, ip_checkpoints *c[])
{
  size_t taken = 99;
  ip_checkpoints_of who = of(0, ranks, 0);

  OK(ip_checkpoints_prepare(&who, pending, &taken));
  for (int r = 0; r < ranks; r++) {
    who.rank = r;
    OK(ip_checkpoints_open(&who, &c[r]));
  }
  return taken;
}

static void end(int ranks, ip_checkpoints *c[])
{
  for (int r = 0; r < ranks; r++) ip_checkpoints_close(&c[r]);
}

/* Three pieces that tell run and time, one of them empty. */
typedef struct {
  char left[LEFT], right[RIGHT];
  ip_piece piece[3];
} state_of;

static ip_checkpoint state(state_of *a, size_t run, int time)
{
  memset(a->left, (int)(16 * run) + time, LEFT);
  memset(a->right, 128 + (int)(16 * run) + time, RIGHT);
  a->piece[0] = (ip_piece){a->left, LEFT};
  a->piece[1] = (ip_piece){NULL, 0};
  a->piece[2] = (ip_piece){a->right, RIGHT};
  return (ip_checkpoint){.run = run, .share = time / 10.0, .n = 3, .piece = a->piece};
}

static void save(ip_checkpoints *c, size_t run, int time)
{
  state_of a;
  const ip_checkpoint checkpoint = state(&a, run, time);

  OK(ip_checkpoints_save(c, &checkpoint));
}

/* The time that a run comes back from, 0: it does not. */
static int loaded(ip_checkpoints *c, size_t run)
{
  state_of a, want;
  const ip_checkpoint checkpoint = state(&a, run, 15);
  bool found = false;

  OK(ip_checkpoints_load(c, &checkpoint, &found));
  if (!found) return 0;

  const int time = (unsigned char)a.left[0] - (int)(16 * run);

  state(&want, run, time);
  assert_memory_equal(a.left, want.left, LEFT);
  assert_memory_equal(a.right, want.right, RIGHT);
  return time;
}

static void the_newest_comes_back(void **unused)
{
  ip_checkpoints *c[3];

  (void)unused;
  assert_int_equal(begin(3, c), 0);
  for (int time = 1; time <= 5; time++) save(c[1], 4, time);
  save(c[0], 2, 3);
  save(c[2], 5, 6);
  save(c[2], 0, 1);
  assert_true(ip_checkpoints_share(c[0], 4) == 0.0); /* of this launch: not taken over */
  end(3, c);
  assert_int_equal(begin(2, c), 4);
  NEAR(ip_checkpoints_share(c[0], 4), 0.5, 0, "share");
  NEAR(ip_checkpoints_share(c[1], 3), 0.0, 0, "share of a run that was not begun");
  assert_int_equal(loaded(c[0], 4), 5);
  assert_int_equal(loaded(c[1], 2), 3);
  assert_int_equal(loaded(c[1], 5), 6);
  assert_int_equal(loaded(c[0], 0), 1);
  assert_int_equal(loaded(c[0], 3), 0);
  save(c[1], 4, 7); /* newer than what was taken over, though the first of its rank */
  end(2, c);
  assert_int_equal(begin(1, c), 4);
  assert_int_equal(loaded(c[0], 4), 7);
  assert_int_equal(loaded(c[0], 5), 6); /* taken over twice */
  end(1, c);
  OK(ip_checkpoints_remove("x.h5"));
  OK(ip_checkpoints_remove("x.h5"));
  assert_int_equal(begin(1, c), 0);
  end(1, c);
  OK(ip_checkpoints_remove("x.h5"));
}

static void what_is_done_is_dropped(void **unused)
{
  const int8_t status[RUNS] = {IP_STATUS_DONE, IP_STATUS_DIVERGED, IP_STATUS_FAILED};
  ip_checkpoints *c[RUNS];
  ip_checkpoints_of who = of(0, 0, 0);
  size_t taken = 0;

  (void)unused;
  begin(RUNS, c);
  for (size_t r = 0; r < RUNS; r++) save(c[r], r, 2);
  end(RUNS, c);
  OK(ip_checkpoints_prepare(&who, status, &taken));
  assert_int_equal(taken, 4);
  OK(ip_checkpoints_open(&who, &c[0])); /* no rank writes: a save is nothing */
  save(c[0], 3, 9);
  assert_int_equal(loaded(c[0], 0), 0);
  assert_int_equal(loaded(c[0], 1), 0);
  for (size_t r = 2; r < RUNS; r++) assert_int_equal(loaded(c[0], r), 2);
  end(1, c);
  who.build = "build-two"; /* whose numbers may be others */
  OK(ip_checkpoints_prepare(&who, status, &taken));
  assert_int_equal(taken, 0);
  OK(ip_checkpoints_remove("x.h5"));
}

static void flip(long at)
{
  const int fd = open("x.h5.ckpt", O_RDWR | O_CLOEXEC);
  unsigned char byte = 0;

  assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
  byte ^= 4;
  assert_true(pwrite(fd, &byte, 1, at) == 1);
  close(fd);
}

/* The newest of each run that needs one, of this launch and of those before. */
static void survey(const int8_t status[], size_t kept, double share)
{
  size_t n = 99;
  double mean = 9.0;

  OK(ip_checkpoints_survey("x.h5", RUNS, status, &n, &mean));
  assert_int_equal(n, kept);
  NEAR(mean, share, 1e-15, "mean share");
}

static void who_looks_sees_how_far_they_are(void **unused)
{
  const int8_t status[RUNS] = {IP_STATUS_DONE, IP_STATUS_DIVERGED, IP_STATUS_FAILED};
  ip_checkpoints *c[2];
  size_t n = 99;
  double mean = 9.0;

  (void)unused;
  survey(pending, 0, 0.0);
  begin(2, c);
  survey(pending, 0, 0.0);
  for (int time = 1; time <= 4; time++) save(c[0], 0, time);
  save(c[1], 2, 1);
  survey(pending, 2, 0.25); /* while it is written */
  survey(status, 1, 0.1);
  end(2, c);
  begin(1, c);
  survey(pending, 2, 0.25);
  save(c[0], 2, 8); /* newer than what was taken over */
  survey(pending, 2, 0.6);
  end(1, c);
  flip(8); /* the head: nothing in it counts */
  survey(pending, 0, 0.0);
  assert_int_equal(truncate("x.h5.ckpt", 100), 0);
  FAILS(ip_checkpoints_survey("x.h5", RUNS, pending, &n, &mean), IP_ERR_DATA, "x.h5.ckpt");
  assert_int_equal(n, 99);
  OK(ip_checkpoints_remove("x.h5"));
}

/* No rank writes and nothing is taken over: a file that says so. */
static void nobody_writes(void **unused)
{
  const ip_checkpoints_of who = of(0, 0, 0);
  ip_checkpoints *c = NULL;
  size_t taken = 9;

  (void)unused;
  for (int launch = 0; launch < 2; launch++) {
    OK(ip_checkpoints_prepare(&who, pending, &taken));
    assert_int_equal(taken, 0);
    OK(ip_checkpoints_open(&who, &c));
    save(c, 1, 1);
    assert_int_equal(loaded(c, 1), 0);
    ip_checkpoints_close(&c);
  }
  OK(ip_checkpoints_remove("x.h5"));
}

/* Where a text of four equal bytes of the payload, or the head before it, stands in the file. */
static long slot_of(size_t run, int time)
{
  const int fd = open("x.h5.ckpt", O_RDONLY | O_CLOEXEC);
  unsigned char page[4096];
  long at = 0, found = -1;

  while (pread(fd, page, sizeof page, at) == (ssize_t)sizeof page && found < 0) {
    bool all = true;

    for (int i = 0; i < LEFT; i++) all = all && page[i] == 16 * run + (size_t)time;
    if (all) found = at - 4096;
    at += 4096;
  }
  close(fd);
  assert_true(found > 0);
  return found;
}

/* A slot torn while it is written leaves the one before; both torn leave nothing. */
static void torn_slots(void **unused)
{
  static const long place[] = {0, 9, 17, 24, 33, 38, 41, 50, 4096, 4096 + LEFT + RIGHT - 1};

  (void)unused;
  for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
    ip_checkpoints *c[1];

    begin(1, c);
    for (int time = 1; time <= 4; time++) save(c[0], 3, time);
    end(1, c);
    flip(slot_of(3, 4) + place[i]);
    assert_int_equal(begin(1, c), 1);
    assert_int_equal(loaded(c[0], 3), 3);
    end(1, c);
    flip(slot_of(3, 3) + place[i]);
    assert_int_equal(begin(1, c), 0);
    end(1, c);
    OK(ip_checkpoints_remove("x.h5"));
  }
}

/* Spoilt after it was taken over, payload, run or length: found by the load; or the index, by who
   opens it. */
static void spoilt_in_between(void **unused)
{
  static const long place[] = {4096 + 77, 16, 32};
  const ip_checkpoints_of who = of(0, 1, 0);
  ip_checkpoints *c[1];

  (void)unused;
  for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
    begin(1, c);
    save(c[0], 1, 4);
    end(1, c);
    assert_int_equal(begin(1, c), 1);
    flip(slot_of(1, 4) + place[i]);
    assert_int_equal(loaded(c[0], 1), 0);
    end(1, c);
    flip(4096);
    FAILS(ip_checkpoints_open(&who, &c[0]), IP_ERR_IO, "rank 0 has just made");
    OK(ip_checkpoints_remove("x.h5"));
  }
}

/* More than a slot has room for would run into the next one. */
static void too_much_is_refused(void **unused)
{
  static char much[1 << 20];
  const ip_piece piece = {much, sizeof much};
  const ip_checkpoint checkpoint = {.run = 1, .n = 1, .piece = &piece};
  ip_checkpoints *c[1];

  (void)unused;
  begin(1, c);
  FAILS(ip_checkpoints_save(c[0], &checkpoint), IP_ERR_INTERNAL,
        "a checkpoint of 1048576 bytes");
  end(1, c);
  OK(ip_checkpoints_remove("x.h5"));
}

/* Any bit of the heads: refused as strange, taken as nothing, or without effect; never worse. */
static void any_bit_of_the_head(void **unused)
{
  (void)unused;
  for (long at = 0; at < 4096 + 64; at++) {
    ip_checkpoints *c[1];
    size_t taken = 0;
    const ip_checkpoints_of who = of(0, 1, 0);

    if (at == 64) at = 4096;
    begin(1, c);
    save(c[0], 3, 1);
    end(1, c);
    begin(1, c); /* run 3 is in the index now */
    end(1, c);
    flip(at);
    if (at < 8) {
      FAILS(ip_checkpoints_prepare(&who, pending, &taken), IP_ERR_DATA, "move it away");
    } else {
      OK(ip_checkpoints_prepare(&who, pending, &taken));
      assert_int_equal(taken, !(at < 48 || (at >= 4096 && at < 4096 + 16)));
    }
    unlink("x.h5.ckpt");
  }
}

/* A checkpoint is that of a run, not of the rest of its plan. */
static void bound_to_the_run(void **unused)
{
  static const struct {
    const char *yaml;
    size_t taken;
  } other[] = {
      {"repeat: 9\ntrain: {epochs: 3}\nlook: [1]\nestimate: [{kind: binning, bins: 30}]\n",      1},
      {"repeat: 6\ntrain: {epochs: 4}\nlook: [1]\nestimate: [{kind: binning, bins: 30}]\n",      0},
      {"repeat: 6\ntrain: {epochs: 3}\nlook: [2]\nestimate: [{kind: binning, bins: 30}]\n",      0},
      {"repeat: 6\ntrain: {epochs: 3}\nlook: [1]\nestimate: [{kind: binning, bins: 31}]\n",      0},
      {"repeat: 6\ntrain: {epochs: [3, 2]}\nlook: [1]\nestimate: [{kind: binning, bins: 30}]\n",
       0                                                                                          }, /* run 3 is another one */
  };

  (void)unused;
  for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
    static const int8_t open_runs[20];
    const ip_checkpoints_of was = of(0, 1, 0);
    ip_checkpoints_of is = was;
    ip_checkpoints *c[1];
    ip_text yaml = {0};
    size_t taken = 99;

    OK(ip_text_add(&yaml, "dataset: {samples: 64}\nnetwork: {hidden: [40, 8]}\n%s",
                   other[i].yaml));
    study changed = study_of(yaml.text);

    begin(1, c);
    save(c[0], 3, 1);
    end(1, c);
    is.plan = changed.plan;
    const PetscErrorCode code = ip_checkpoints_outlast("x.h5", was.plan, is.plan, open_runs);

    assert_int_equal(code, other[i].taken ? PETSC_SUCCESS : IP_ERR_CONFIG);
    ip_error_clear();
    OK(ip_checkpoints_prepare(&is, open_runs, &taken));
    assert_int_equal(taken, other[i].taken);
    OK(ip_checkpoints_remove("x.h5"));
    study_clear(&changed);
    ip_text_clear(&yaml);
  }
}

/* Lengths of which the file knows nothing. */
static void absurd_lengths(void **unused)
{
  static const uint64_t length[] = {UINT64_MAX, UINT64_MAX / 2, 1ULL << 63, 1ULL << 32, 4097};
  const ip_checkpoints_of who = of(0, 1, 0);
  size_t taken = 9;

  (void)unused;
  for (int field = 2; field <= 4; field++) /* payload, own, taken */
    for (size_t i = 0; i < sizeof length / sizeof length[0]; i++) {
      ip_checkpoints *c[1];

      begin(1, c);
      end(1, c);

      const int fd = open("x.h5.ckpt", O_RDWR | O_CLOEXEC);

      assert_true(pwrite(fd, &length[i], 8, 8 * field) == 8);
      close(fd);
      OK(ip_checkpoints_prepare(&who, pending, &taken));
      assert_int_equal(taken, 0);
    }
  OK(ip_checkpoints_remove("x.h5"));
}

/* Slots so small that as many as the file has pages would fit, but for the page of the head. */
static void one_slot_too_many(void **unused)
{
  const ip_checkpoints_of who = of(0, 1, 0);
  ip_checkpoints *c[1];
  struct stat about;
  size_t taken = 9;

  (void)unused;
  begin(1, c);
  end(1, c);
  assert_int_equal(stat("x.h5.ckpt", &about), 0);
  const uint64_t head[] = {0, (uint64_t)about.st_size / 4096}; /* payload, own */
  const int fd = open("x.h5.ckpt", O_RDWR | O_CLOEXEC);

  assert_true(pwrite(fd, head, sizeof head, 8 * 3) == sizeof head);
  close(fd);
  OK(ip_checkpoints_prepare(&who, pending, &taken));
  assert_int_equal(taken, 0);
  OK(ip_checkpoints_remove("x.h5"));
}

static void strange_files_are_refused(void **unused)
{
  const ip_checkpoints_of who = of(0, 1, 0);
  size_t taken = 9;
  struct stat about;

  (void)unused;
  for (int size = 0; size < 10000; size += 4999) {
    const int fd = open("x.h5.ckpt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0 && ftruncate(fd, size) == 0);
    close(fd);
    FAILS(ip_checkpoints_prepare(&who, pending, &taken), IP_ERR_DATA, "x.h5.ckpt");
    assert_true(stat("x.h5.ckpt", &about) == 0 && about.st_size == size);
    unlink("x.h5.ckpt");
  }
  assert_int_equal(mkfifo("x.h5.ckpt", 0600), 0);
  FAILS(ip_checkpoints_prepare(&who, pending, &taken), IP_ERR_DATA, "x.h5.ckpt");
  unlink("x.h5.ckpt");
  assert_int_equal(symlink("/dev/null", "x.h5.ckpt"), 0);
  FAILS(ip_checkpoints_prepare(&who, pending, &taken), IP_ERR_IO, "x.h5.ckpt");
  unlink("x.h5.ckpt");
  assert_int_equal(taken, 9);
}

/* A rank of an earlier launch writes on: into a file that nobody reads any more. */
static void orphans_write_elsewhere(void **unused)
{
  ip_checkpoints *orphan[1], *c[1];

  (void)unused;
  begin(1, orphan);
  save(orphan[0], 2, 1);
  assert_int_equal(begin(1, c), 1);
  for (int time = 5; time < 9; time++) save(orphan[0], 2, time);
  assert_int_equal(loaded(c[0], 2), 1);
  end(1, c);
  end(1, orphan);
  assert_int_equal(begin(1, c), 1);
  assert_int_equal(loaded(c[0], 2), 1);
  end(1, c);
  OK(ip_checkpoints_remove("x.h5"));
}

static void without_the_lock_nothing_is_saved(void **unused)
{
  ip_lock *lock = NULL;
  ip_checkpoints *c = NULL;
  state_of a;
  const ip_checkpoint checkpoint = state(&a, 1, 2);
  size_t taken;

  (void)unused;
  OK(ip_lock_take("x.h5", false, 0.0, &lock));
  const ip_checkpoints_of who = of(0, 1, ip_lock_token(lock)), other = of(0, 1, 17);

  OK(ip_checkpoints_prepare(&who, pending, &taken));
  FAILS(ip_checkpoints_open(&other, &c), IP_ERR_IO, "rank 0 has just made");
  OK(ip_checkpoints_open(&who, &c));
  OK(ip_checkpoints_save(c, &checkpoint));
  ip_lock_release(&lock);
  FAILS(ip_checkpoints_save(c, &checkpoint), IP_ERR_LOCKED, "x.h5.lock");
  ip_checkpoints_close(&c);
  OK(ip_checkpoints_remove("x.h5"));
  FAILS(ip_checkpoints_open(&who, &c), IP_ERR_IO, "x.h5.ckpt");
}

/* No room: said before anything runs, and what stood there still stands. */
static void no_room(void **unused)
{
  const ip_checkpoints_of who = of(0, 1, 0);
  const struct rlimit small = {8192, RLIM_INFINITY};
  struct rlimit was;
  ip_checkpoints *c[1];
  size_t taken;

  (void)unused;
  begin(1, c);
  save(c[0], 1, 4);
  end(1, c);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  FAILS(ip_checkpoints_prepare(&who, pending, &taken), IP_ERR_IO, "ulimit -f");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
  assert_int_equal(access("x.h5.ckpt.partial", F_OK), -1);
  assert_int_equal(begin(1, c), 1);
  end(1, c);
  OK(ip_checkpoints_remove("x.h5"));
}

/* The size that is reckoned with is the size it has. */
static void size_is_told(void **unused)
{
  struct stat about;
  ip_checkpoints *c[3];

  (void)unused;
  begin(3, c);
  end(3, c);
  assert_int_equal(stat("x.h5.ckpt", &about), 0);
  assert_int_equal(about.st_size, ip_checkpoints_size(s.plan, 3));
  assert_true((uint64_t)about.st_blocks * 512 >= ip_checkpoints_size(s.plan, 3));
  OK(ip_checkpoints_remove("x.h5"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_newest_comes_back),
      cmocka_unit_test(what_is_done_is_dropped),
      cmocka_unit_test(who_looks_sees_how_far_they_are),
      cmocka_unit_test(nobody_writes),
      cmocka_unit_test(torn_slots),
      cmocka_unit_test(spoilt_in_between),
      cmocka_unit_test(too_much_is_refused),
      cmocka_unit_test(any_bit_of_the_head),
      cmocka_unit_test(bound_to_the_run),
      cmocka_unit_test(absurd_lengths),
      cmocka_unit_test(one_slot_too_many),
      cmocka_unit_test(strange_files_are_refused),
      cmocka_unit_test(orphans_write_elsewhere),
      cmocka_unit_test(without_the_lock_nothing_is_saved),
      cmocka_unit_test(no_room),
      cmocka_unit_test(size_is_told),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, enter, leave);
}
