/* Memory that runs out, a system and an HDF5 that refuse any one call, or all from one on, while a
   whole file is compacted, merged, enlarged, compared, measured again, and while activations are
   kept. */

#include "../study/study.h"
#include "example.h"
#include "folder.h"
#include "refusing.h"

static const char study_yaml[] =
    "dataset: {name: symmetric, samples: 12}\n"
    "network.hidden: [3]\n"
    "train: {batch: full, epochs: 2, learning_rate: [1e-3, 1e-2]}\n"
    "save: {weights: looked, activations: yes}\n";
static const char columns[] = "estimate: [{kind: binning, bins: 30}]\n",
                  others[] = "estimate: [{kind: kde}]\n";

static const refused_how ways[] = {
    {"EIO",           SYSTEM,  EIO,   ONCE},
    {"EIO for good",  SYSTEM,  EIO,   ALL },
    {"EINTR",         WAITING, EINTR, ONCE},
    {"HDF5",          HDF5,    0,     ONCE},
    {"HDF5 for good", HDF5,    0,     ALL },
};
enum { WAYS = sizeof ways / sizeof ways[0], MEMORIES = 30 };

static study s, t; /* the same runs with other columns */
static ip_record *record, *again;

/* The work with each allocation failing, then with each call refused. */
static void fail_all(const work *w, const void *context)
{
  fail_each(w->name, w->act, context, MEMORIES);
  refuse_each(w, context, WAYS, ways);
}

/* A file of the first n runs of the study. */
static void make_file(const char *path, size_t n)
{
  ip_store_origin origin = example_origin;
  ip_store *store = NULL;
  bool created, stopped = false;

  origin.reproducible = false;
  OK(ip_store_prepare(path, s.plan, &origin, &created));
  OK(ip_store_open(MPI_COMM_SELF, path, s.plan, &origin, &store));
  for (size_t r = 0; r < n; r++) {
    OK(ip_run_train(s.plan, r, NULL, record, &stopped));
    OK(ip_store_put(store, record));
  }
  OK(ip_store_close(&store));
}

static void copy_file(const char *from, const char *to)
{
  size_t n = 0;
  unsigned char *bytes = file_bytes(from, &n);
  const int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  OK(ip_file_write(fd, to, bytes, n, 0));
  close(fd);
  ip_release(&bytes);
}

/* After an error nothing has this name, or what is whole; nothing else was left. */
static void see_whole(const char *path, const char *whole, PetscErrorCode code)
{
  char partial[64];

  assert_true(code || access(path, F_OK) == 0);
  if (access(path, F_OK) == 0) same_bytes(path, whole);
  unlink(path);
  snprintf(partial, sizeof partial, "%s.partial", path);
  unlink(partial); /* if it could not be removed */
}

/* ---- compact ------------------------------------------------------------------------------------ */

static PetscErrorCode pack(const void *path)
{
  uint64_t bytes[2] = {7, 7};
  const PetscErrorCode code = ip_store_compact(path, "x.h5", bytes);

  assert_true(code || (bytes[0] > 7 && bytes[1] > 7));
  if (refusal.kind == NOTHING) assert_int_equal(unlink("x.h5") == 0, code == PETSC_SUCCESS);
  return code;
}

static void see_packed(const void *path, PetscErrorCode code)
{
  remove_ours("");
  see_whole("x.h5", "packed.h5", code);
  same_bytes(path, "copy.h5");
}

static void compact(void **state)
{
  static const work packing = {"compact", pack, see_packed};
  uint64_t bytes[2];

  (void)state;
  OK(ip_store_compact("old.h5", "packed.h5", bytes));
  fail_all(&packing, "old.h5");
  unlink("packed.h5");
}

/* ---- merge and grow ------------------------------------------------------------------------------- */

static PetscErrorCode join(const void *path)
{
  const char *const from[] = {path, "less.h5"};
  ip_findings found = {0};
  const PetscErrorCode code = ip_store_merge(2, from, "x.h5", false, &found);

  if (!code) ip_findings_clear(&found);
  if (refusal.kind == NOTHING) assert_int_equal(unlink("x.h5") == 0, code == PETSC_SUCCESS);
  return code;
}

static void see_joined(const void *path, PetscErrorCode code)
{
  remove_ours("");
  see_whole("x.h5", "merged.h5", code);
  same_bytes(path, "copy.h5");
}

static void merge(void **state)
{
  static const work joining = {"merge", join, see_joined};
  ip_findings found = {0};

  (void)state;
  OK(ip_store_merge(2, (const char *const[]){"old.h5", "less.h5"}, "merged.h5", false, &found));
  assert_int_equal(found.twice, 1);
  ip_findings_clear(&found);
  fail_all(&joining, "old.h5");
  unlink("merged.h5");
}

static PetscErrorCode enlarge(const void *path)
{
  static const char *const setting[] = {"repeat=2"};
  ip_findings found = {0};
  bool grown = false;
  const PetscErrorCode code = ip_store_grow(path, 1, setting, &found, &grown);

  assert_true(grown || code);
  if (!code) ip_findings_clear(&found);
  return code;
}

/* The old file, or the new one, whole; what is told when the name is given already is an error too. */
static void see_enlarged(const void *path, PetscErrorCode code)
{
  ip_findings found = {0};
  size_t done = 0;

  remove_ours("");
  unlink("x.h5.partial");
  OK(ip_store_check(path, &found));
  for (size_t r = 0; r < found.n_runs; r++) done += found.status[r] == IP_STATUS_DONE;
  assert_int_equal(done, 2);
  assert_true(found.n_runs == 4 || code);
  if (found.n_runs != 4) same_bytes(path, "copy.h5");
  ip_findings_clear(&found);
  unlink(path);
  copy_file("copy.h5", path);
}

static void grow(void **state)
{
  static const work enlarging = {"grow", enlarge, see_enlarged};

  (void)state;
  copy_file("copy.h5", "x.h5");
  refuse_each(&enlarging, "x.h5", WAYS, ways);
  unlink("x.h5");
}

/* ---- diff ---------------------------------------------------------------------------------------- */

static PetscErrorCode compare(const void *path)
{
  ip_difference d = {.compared = 77};
  const PetscErrorCode code = ip_store_diff(path, "less.h5", &d);

  assert_int_equal(d.compared, code ? 77 : 1);
  if (!code) {
    assert_false(ip_difference_none(&d));
    ip_difference_clear(&d);
  }
  return code;
}

static void see_old(const void *path, PetscErrorCode code)
{
  (void)code;
  same_bytes(path, "copy.h5");
}

static void diff(void **state)
{
  static const work comparing = {"diff", compare, see_old};

  (void)state;
  fail_all(&comparing, "old.h5");
}

/* ---- measured again ------------------------------------------------------------------------------ */

static PetscErrorCode measure(ip_trained_runs *runs)
{
  const ip_trained trained = {.context = runs, .get = ip_trained_get};
  const ip_company company = {.trained = &trained};
  int8_t status = IP_STATUS_PENDING;
  bool stopped = false;

  for (size_t r = 0; r < t.plan->n_runs; r++) {
    PetscCall(ip_trained_prove(runs, r, &status));
    IP_CHECK(status == IP_STATUS_DONE, IP_ERR_IO, "run %zu is not proved", r);
    PetscCall(ip_run_train(t.plan, r, &company, again, &stopped));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode remeasure(const void *path)
{
  const ip_trained_of of = {.path = path, .plan = t.plan, .build = example_origin.build};
  ip_trained_runs *runs = UNTOUCHED;
  PetscErrorCode code = ip_trained_open(&of, &runs);

  if (failed(code, runs)) return code;
  code = measure(runs);
  ip_trained_close(&runs);
  assert_null(runs);
  return code;
}

static void trained(void **state)
{
  static const work measuring = {"remeasure", remeasure, see_old};

  (void)state;
  fail_all(&measuring, "old.h5");
}

/* ---- activations ---------------------------------------------------------------------------------- */

static const char kept[] = "x.run0.activations.h5";

static PetscErrorCode keep(const void *path)
{
  ip_archives *archives = NULL;
  bool stopped = false;

  PetscCall(ip_archives_check(path, s.plan));
  PetscCall(ip_archives_create(path, 0, &archives));

  const ip_archive archive = {.context = archives,
                              .begin = ip_archives_begin,
                              .put = ip_archives_put,
                              .end = ip_archives_end};
  const ip_company company = {.archive = &archive};
  const PetscErrorCode code = ip_run_train(s.plan, 0, &company, record, &stopped);

  ip_archives_destroy(&archives);
  if (refusal.kind == NOTHING) assert_true(unlink(kept) == 0 || code);
  return code;
}

static void see_kept(const void *path, PetscErrorCode code)
{
  (void)path;
  see_whole(kept, "good.run0.activations.h5", code);
}

static void activations(void **state)
{
  static const work keeping = {"activations", keep, see_kept};

  (void)state;
  refusal.kind = SYSTEM, refusal.fail_at = 0,
  refusal.failed = -1; /* nothing fails, the file stays */
  OK(keep("good.h5"));
  refusal.kind = NOTHING;
  fail_all(&keeping, "x.h5");
  unlink("good.run0.activations.h5");
}

/* ---- all of them ---------------------------------------------------------------------------------- */

static int enter(void **state)
{
  char yaml[1024];

  snprintf(yaml, sizeof yaml, "%s%s", study_yaml, columns);
  s = study_of(yaml);
  snprintf(yaml, sizeof yaml, "%s%s", study_yaml, others);
  t = study_of(yaml);
  OK(ip_record_create(s.plan, &record));
  OK(ip_record_create(t.plan, &again));
  if (folder_enter(state)) return 1;
  make_file("old.h5", s.plan->n_runs);
  copy_file("old.h5", "copy.h5");
  make_file("less.h5", 1);
  return 0;
}

static int leave(void **state)
{
  unlink("old.h5"), unlink("copy.h5"), unlink("less.h5");
  ip_record_destroy(&record);
  ip_record_destroy(&again);
  study_clear(&s);
  study_clear(&t);
  return folder_leave(state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compact), cmocka_unit_test(merge),   cmocka_unit_test(grow),
      cmocka_unit_test(diff),    cmocka_unit_test(trained), cmocka_unit_test(activations),
  };

  setenv("OMPI_MCA_io", "romio321", 0);
  PetscPushErrorHandler(ip_error_handler, NULL);
  if (PetscInitializeNoArguments()) return 1;
  const int result = cmocka_run_group_tests(tests, enter, leave);

  PetscFinalize();
  return result;
}
