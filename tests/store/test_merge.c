/* Files of one study joined: which result of a run is taken, what does not fit into one file, and a disk
   that fails meanwhile. */

#include "../study/study.h"
#include "example.h"
#include "folder.h"
#include <errno.h>
#include <hdf5.h>
#include <mpi.h>
#include <petscsys.h>
#include <sys/syscall.h>

enum { THREE = 3 };

static study s;

/* One launch of a build on a file of the study: it puts these runs, 0 where it leaves one. */
static void launch(const char *path, const ip_store_origin *origin, const int8_t status[THREE])
{
  ip_store *store = NULL;
  ip_record *record = NULL;
  bool created;

  OK(ip_store_prepare(path, s.plan, origin, &created));
  OK(ip_store_open(MPI_COMM_SELF, path, s.plan, origin, &store));
  OK(ip_record_create(s.plan, &record));
  for (size_t r = 0; r < THREE; r++) {
    if (status[r] == IP_STATUS_PENDING) continue;
    if (status[r] == IP_STATUS_FAILED)
      ip_record_reset(record, r);
    else
      example_record(record, r);
    record->status = (ip_status)status[r];
    OK(ip_store_put(store, record));
  }
  ip_record_destroy(&record);
  OK(ip_store_close(&store));
}

static void merge_two(const char *a, const char *b, bool accept_build, const char *out,
                      ip_findings *found)
{
  const char *path[] = {a, b};

  OK(ip_store_merge(2, path, out, accept_build, found));
}

/* ---- failed runs ------------------------------------------------------------------------------ */

static void a_failed_run_yields(void **state)
{
  static const int8_t a[] = {IP_STATUS_FAILED, IP_STATUS_DONE, IP_STATUS_FAILED},
                      b[] = {IP_STATUS_DIVERGED, IP_STATUS_FAILED, IP_STATUS_FAILED},
                      both[] = {IP_STATUS_DIVERGED, IP_STATUS_DONE, IP_STATUS_FAILED};
  static const char *const order[][2] = {
      {"a.h5", "b.h5"},
      {"b.h5", "a.h5"}
  };

  (void)state;
  launch("a.h5", &example_origin, a);
  launch("b.h5", &example_origin, b);
  launch("one.h5", &example_origin, both);
  for (int i = 0; i < 2; i++) {
    ip_findings found = {0};

    merge_two(order[i][0], order[i][1], false, "x.h5", &found);
    assert_int_equal(found.n_runs, THREE);
    assert_memory_equal(found.status, both, sizeof both);
    assert_int_equal(found.twice, 1); /* the one that failed in both */
    same_bytes("x.h5", "one.h5");
    ip_findings_clear(&found);
    unlink("x.h5");
  }
  unlink("a.h5");
  unlink("b.h5");
  unlink("one.h5");
}

/* ---- launches ---------------------------------------------------------------------------------- */

/* n launches on a file, each telling its number. */
static void launch_often(const char *path, int n)
{
  static const int8_t nothing[THREE] = {0};
  ip_store_origin origin = example_origin;
  char json[32];

  origin.reproducible = false;
  origin.launch_json = json;
  for (int i = 0; i < n; i++) {
    snprintf(json, sizeof json, "\"%s %d\"", path, i);
    launch(path, &origin, nothing);
  }
}

static void launches_are_kept_as_far_as_there_is_room(void **state)
{
  enum { EACH = 40, ROOM = 64 };
  static const char *const path[] = {"a.h5", "b.h5", "c.h5"};
  ip_findings found = {0};
  ip_results *results = NULL;

  (void)state;
  launch_often("a.h5", EACH);
  launch_often("b.h5", EACH);
  launch_often("c.h5", 1);
  OK(ip_store_merge(3, path, "x.h5", false, &found));
  ip_findings_clear(&found);
  OK(ip_results_open("x.h5", &results));
  for (int i = 0; i < ROOM; i++) {
    char want[64], *text = NULL;

    snprintf(want, sizeof want, "{\"start\": \"%s %d\", \"end\": null}", path[i / EACH],
             i % EACH);
    OK(ip_results_text(results, "provenance/launch_json", (size_t)i, &text));
    assert_string_equal(text, want);
    ip_release(&text);
  }
  ip_results_close(&results);
  for (int i = 0; i < 3; i++) unlink(path[i]);
  unlink("x.h5");
}

/* ---- builds ------------------------------------------------------------------------------------ */

/* Builds <name>0, <name>1, ... in turn; the last one puts the runs. */
static void launch_builds(const char *path, const char *name, int n, const int8_t status[THREE])
{
  static const int8_t nothing[THREE] = {0};
  ip_store_origin origin = example_origin;
  char build[16];

  origin.accept_build = true;
  origin.build = build;
  for (int i = 0; i < n; i++) {
    snprintf(build, sizeof build, "%s%d", name, i);
    launch(path, &origin, i < n - 1 ? nothing : status);
  }
}

/* All builds are named, and each run points to the one that trained it. */
static void see_builds(const char *path)
{
  static const char *const want[] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
                                     "a8", "a9", "c0", "c1", "c2", "c3", "c4", "c5"};
  static const double trained_by[THREE] = {9, 3, 15};
  static const size_t start[] = {0}, count[] = {THREE};
  ip_results *results = NULL;
  double index[THREE];

  OK(ip_results_open(path, &results));
  for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
    char *text = NULL;

    OK(ip_results_text(results, "provenance/build_text", i, &text));
    assert_string_equal(text, want[i]);
    ip_release(&text);
  }
  OK(ip_results_block(results, "provenance/build_index", 1, start, count, index));
  for (size_t r = 0; r < THREE; r++) NEAR(index[r], trained_by[r], 0, "build of run %zu", r);
  ip_results_close(&results);
}

static void sixteen_builds_are_all_that_a_file_can_name(void **state)
{
  static const int8_t first[] = {IP_STATUS_DONE, 0, 0}, second[] = {0, IP_STATUS_DONE, 0},
                      third[] = {0, 0, IP_STATUS_DONE};
  static const char *const many[] = {"a.h5", "c.h5", "b.h5"};
  ip_findings found = {0};

  (void)state;
  launch_builds("a.h5", "a", 10, first);
  launch_builds("c.h5", "a", 4, second); /* a0 .. a3 are those of the other file */
  launch_builds("c.h5", "c", 6, third);
  launch_builds("b.h5", "b", 1, first);
  FAILS(ip_store_merge(2, many, "x.h5", false, &found), IP_ERR_CONFIG, "accept_build=yes");
  FAILS(ip_store_merge(3, many, "x.h5", true, &found), IP_ERR_CONFIG,
        "b.h5: together the files are of more than 16 builds");
  assert_int_equal(access("x.h5", F_OK), -1);
  assert_int_equal(access("x.h5.partial", F_OK), -1);
  merge_two("a.h5", "c.h5", true, "x.h5", &found);
  see_builds("x.h5");
  ip_findings_clear(&found);
  for (int i = 0; i < 3; i++) unlink(many[i]);
  unlink("x.h5");
}

/* ---- a disk that fails ------------------------------------------------------------------------- */

static const char mark[] = "build-one";
static long writes, fail_at; /* of those that carry the name of the build; 0: none fails */

/* Takes the place of the C library's, for HDF5 too. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *bytes, size_t n,
                                                      off_t at)
{
  if (memmem(bytes, n, mark, sizeof mark - 1) && ++writes == fail_at) {
    errno = EIO;
    return -1;
  }
  return (ssize_t)syscall(SYS_pwrite64, fd, bytes, n, at);
}

/* The names of the builds are few bytes, which HDF5 keeps until an array is closed.  Whichever write of
   them it is that fails: no file, and an error. */
static void no_write_is_lost(void **state)
{
  static const int8_t done[] = {IP_STATUS_DONE, IP_STATUS_DONE, IP_STATUS_DONE};
  static const char *const path[] = {"a.h5"};
  ip_findings found = {0};
  long n = 0;

  (void)state;
  launch("a.h5", &example_origin, done);
  writes = 0;
  OK(ip_store_merge(1, path, "x.h5", false, &found));
  n = writes;
  ip_findings_clear(&found);
  unlink("x.h5");
  assert_true(n >= 2); /* the attribute of who made the file, and the list */
  for (long i = 1; i <= n; i++) {
    writes = 0;
    fail_at = i;
    FAILS(ip_store_merge(1, path, "x.h5", false, &found), IP_ERR_IO, "Input/output error");
    assert_true(writes >= i);
    fail_at = 0;
    assert_int_equal(access("x.h5", F_OK), -1);
    assert_int_equal(access("x.h5.partial", F_OK), -1);
  }
  unlink("a.h5");
}

static long reads, fail_read_at; /* 0: none fails */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
  if (++reads == fail_read_at) {
    errno = EIO;
    return -1;
  }
  return (ssize_t)syscall(SYS_pread64, fd, bytes, n, at);
}

static PetscErrorCode check(void)
{
  ip_findings found = {0};
  const PetscErrorCode code = ip_store_check("a.h5", &found);

  if (!code) assert_null(found.unfit.text);
  for (size_t r = 0; r < found.n_runs; r++) assert_int_equal(found.status[r], IP_STATUS_DONE);
  ip_findings_clear(&found);
  return code;
}

static PetscErrorCode merge(void)
{
  static const char *const path[] = {"a.h5"};
  ip_findings found = {0};
  const PetscErrorCode code = ip_store_merge(1, path, "x.h5", false, &found);

  ip_findings_clear(&found);
  unlink("x.h5");
  return code;
}

static PetscErrorCode grow(void)
{
  static const char *const more[] = {"repeat=3"}; /* it has them */
  ip_findings found = {0};
  bool grown = true;

  return ip_store_grow("a.h5", 1, more, &found, &grown);
}

/* Whichever read it is (of some hundreds, at equal distances): the file is not called damaged. */
static void a_failing_disk_is_no_damaged_file(void **state)
{
  enum { TRIES = 80 };
  static const int8_t done[] = {IP_STATUS_DONE, IP_STATUS_DONE, IP_STATUS_DONE};
  static PetscErrorCode (*const work[])(void) = {check, merge, grow};

  (void)state;
  launch("a.h5", &example_origin, done);
  for (size_t w = 0; w < sizeof work / sizeof work[0]; w++) {
    reads = 0;
    OK(work[w]());

    const long n = reads;

    assert_true(n > 50);
    for (long i = 1; i <= n; i += 1 + n / TRIES) {
      reads = 0;
      fail_read_at = i;
      FAILS(work[w](), IP_ERR_IO, "Input/output error");
      fail_read_at = 0;
    }
  }
  unlink("a.h5");
}

static int enter(void **state)
{
  s = study_of("network.hidden: [3]\ntrain.epochs: 2\nlook: [0]\nrepeat: 3\n"
               "dataset.samples: 12\nestimate: [{kind: binning, bins: 30}]\n");
  return folder_enter(state);
}

static int leave(void **state)
{
  study_clear(&s);
  return folder_leave(state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failed_run_yields),
      cmocka_unit_test(launches_are_kept_as_far_as_there_is_room),
      cmocka_unit_test(sixteen_builds_are_all_that_a_file_can_name),
      cmocka_unit_test(no_write_is_lost),
      cmocka_unit_test(a_failing_disk_is_no_damaged_file),
  };

  setenv("OMPI_MCA_io", "romio321", 0);
  PetscPushErrorHandler(ip_error_handler, NULL);
  if (PetscInitializeNoArguments()) return 1;
  const int result = cmocka_run_group_tests(tests, enter, leave);

  /* HDF5 1.10 crashes at its end over a file that a failing disk did not let it close */
  fflush(NULL);
  if (H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_FILE) > 0) _exit(result);
  PetscFinalize();
  return result;
}
