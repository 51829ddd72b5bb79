/* No memory left for the results file: making, recognizing, filling, proving and reading it, and
   its lock. */

#include "../study/study.h"
#include "example.h"
#include "failing.h"
#include "folder.h"
#include "lock.h"
#include <cli.h>
#include <mpi.h>

static example e;

/* Widths so long that their text grows once more. */
static double width[40];
static const ip_value hidden = {.word = -1, .n = 40, .list = width};

static int enter(void **state)
{
  example_create(&e);
  for (int i = 0; i < 40; i++) width[i] = 100 + i;
  for (int r = 0; r < RUNS; r++) e.run[r].value[IP_KEY_NETWORK_HIDDEN] = &hidden;
  return folder_enter(state);
}

/* ---- making and recognizing ------------------------------------------------------------------- */

/* A failure leaves neither file nor half a file. */
static PetscErrorCode make(const void *path)
{
  bool created = false;
  const PetscErrorCode code = ip_store_prepare(path, &e.plan, &example_origin, &created);

  assert_int_equal(created, code == PETSC_SUCCESS);
  assert_int_equal(unlink(path) == 0, code == PETSC_SUCCESS);
  assert_int_equal(access("x.h5.partial", F_OK), -1);
  return code;
}

static PetscErrorCode recognize(const void *path)
{
  bool created = true;
  const PetscErrorCode code = ip_store_prepare(path, &e.plan, &example_origin, &created);

  assert_int_equal(created, code != PETSC_SUCCESS);
  return code;
}

static PetscErrorCode measure_file(const void *path)
{
  uint64_t bytes = 77;
  PetscErrorCode code = ip_store_size(&e.plan, &bytes);

  assert_int_equal(bytes == 77, code != PETSC_SUCCESS);
  if (!code) code = ip_store_free_space(path, &bytes);
  return code;
}

static void prepare(void **state)
{
  bool created;

  (void)state;
  fail_each("size", measure_file, "x.h5", EACH);
  fail_each("a new file", make, "x.h5", EACH);
  memory.calls = 0;
  memory.fail_at = 1;
  assert_false(ip_store_on_nfs("x.h5")); /* a warning less, no error */
  memory.fail_at = 0;
  OK(ip_store_prepare("old.h5", &e.plan, &example_origin, &created));
  fail_each("a file that stands", recognize, "old.h5", EACH);
  unlink("old.h5");
}

/* ---- filling and proving ----------------------------------------------------------------------- */

static ip_record *record;

/* Put a run, prove it, say how the launch ends. */
static PetscErrorCode fill(ip_store *store)
{
  int8_t status[RUNS];
  size_t damaged;
  ip_status one = IP_STATUS_FAILED;

  PetscCall(ip_store_put(store, record));
  PetscCall(ip_store_verify(store, record->run, &one));
  assert_int_equal(one, IP_STATUS_DONE);
  PetscCall(ip_store_verify_put(store, status, &damaged));
  PetscCall(ip_store_verify_all(store, status, &damaged));
  assert_int_equal(damaged, 0);
  return ip_store_end_launch(store, "{}");
}

static PetscErrorCode use(const void *path)
{
  ip_store *store = UNTOUCHED;
  ip_store_origin origin = example_origin;

  origin.reproducible = false;
  PetscErrorCode code = ip_store_open(MPI_COMM_SELF, path, &e.plan, &origin, &store);

  if (failed(code, store)) return code;
  code = fill(store);
  assert_int_equal(ip_store_close(&store), PETSC_SUCCESS);
  return code;
}

/* What a run looks like in the file is not changed by failures beside it. */
static void runs(void **state)
{
  bool created;
  ip_store *store = NULL;
  ip_status status = IP_STATUS_PENDING;

  (void)state;
  OK(ip_record_create(&e.plan, &record));
  example_record(record, 2);
  OK(ip_store_prepare("x.h5", &e.plan, &example_origin, &created));
  fail_each("runs", use, "x.h5", EACH);
  OK(ip_store_open(MPI_COMM_SELF, "x.h5", &e.plan, &example_origin, &store));
  OK(ip_store_verify(store, 2, &status));
  assert_int_equal(status, IP_STATUS_DONE);
  OK(ip_store_close(&store));
  ip_record_destroy(&record);
  unlink("x.h5");
}

/* ---- the lock ------------------------------------------------------------------------------------ */

static PetscErrorCode hold(const void *path)
{
  static const ip_progress seen = {.runs = 5, .done = 2};
  ip_lock *lock = UNTOUCHED;
  ip_text words = {0};
  const int left = ip_file_open("x.h5.lock.00000000000000a1", O_WRONLY | O_CREAT);

  close(left); /* an attempt of somebody, which is looked at */
  PetscErrorCode code = ip_lock_take(path, false, 0, &lock);

  if (failed(code, lock)) {
    assert_int_equal(access("x.h5.lock", F_OK), -1);
    return code;
  }
  code = ip_lock_beat(lock, &seen, 3.5, 70);
  if (!code) code = ip_lock_check(path, ip_lock_token(lock));
  if (!code) code = ip_lock_describe(path, &words);
  ip_text_clear(&words);
  ip_lock_release(&lock);
  assert_null(lock);
  assert_int_equal(access("x.h5.lock", F_OK), -1);
  return code;
}

/* The holder of a lock that is refused keeps it. */
static PetscErrorCode refused(const void *path)
{
  ip_lock *lock = UNTOUCHED;
  const PetscErrorCode code = ip_lock_take(path, false, 0, &lock);

  assert_true(failed(code, lock));
  return code == IP_ERR_LOCKED ? PETSC_SUCCESS : code;
}

static void locks(void **state)
{
  ip_lock *lock = NULL;

  (void)state;
  setenv("SLURM_JOB_ID", "4711", 1);
  fail_each("lock", hold, "x.h5", EACH);
  OK(ip_lock_take("x.h5", false, 0, &lock));
  fail_each("lock that is held", refused, "x.h5", EACH);
  OK(ip_lock_check("x.h5", ip_lock_token(lock)));
  ip_lock_release(&lock);
  unlink("x.h5.lock.00000000000000a1");
  unsetenv("SLURM_JOB_ID");
}

/* ---- checkpoints ------------------------------------------------------------------------------- */

static char bytes_of_it[100];
static const ip_piece piece = {bytes_of_it, sizeof bytes_of_it};
static const ip_checkpoint checkpoint = {.run = 1, .share = 0.5, .n = 1, .piece = &piece};

static PetscErrorCode keep(const void *of)
{
  static const int8_t pending[4];
  ip_checkpoints *c = UNTOUCHED;
  bool found = false;
  size_t taken = 17;
  PetscErrorCode code = ip_checkpoints_prepare(of, pending, &taken);

  assert_int_equal(access("x.h5.ckpt.partial", F_OK), -1);
  if (code) {
    assert_int_equal(taken, 17);
    return code;
  }
  code = ip_checkpoints_open(of, &c);
  if (failed(code, c)) return code;
  assert_true(taken == 0 || ip_checkpoints_share(c, 1) == 0.5); /* never lost again */
  if (taken > 0) code = ip_checkpoints_load(c, &checkpoint, &found);
  assert_true(taken == 0 || found || code);
  if (!code) code = ip_checkpoints_save(c, &checkpoint);
  ip_checkpoints_close(&c);
  assert_null(c);
  return code;
}

static void checkpoints(void **unused)
{
  static const int8_t pending[4];
  study s = study_of("dataset.samples: 20\nnetwork.hidden: [3]\ntrain.epochs: 1\nrepeat: 4\n");
  const ip_checkpoints_of of = {
      .path = "x.h5", .plan = s.plan, .build = "build-one", .ranks = 1};
  size_t taken = 0;

  (void)unused;
  fail_each("checkpoints", keep, &of, EACH);
  OK(ip_checkpoints_prepare(&of, pending, &taken));
  assert_int_equal(taken, 1);
  OK(ip_checkpoints_remove("x.h5"));
  study_clear(&s);
}

/* ---- proof without a plan --- */

static PetscErrorCode prove(const void *path)
{
  ip_findings found = {0};
  const PetscErrorCode code = ip_store_check(path, &found);

  assert_true(code == PETSC_SUCCESS || !found.status);
  ip_findings_clear(&found);
  return code;
}

static void checked(void **unused)
{
  study s = study_of("dataset.samples: 20\nnetwork.hidden: [3]\ntrain.epochs: 1\n");
  bool created;

  (void)unused;
  OK(ip_store_prepare("x.h5", s.plan, &example_origin, &created));
  fail_each("check", prove, "x.h5", EACH);
  unlink("x.h5");
  study_clear(&s);
}

/* ---- files of proven runs ------------------------------------------------------------------------ */

static ip_bound_point curve[100];

static size_t curve_points(void)
{
  size_t n = 0;

  for (; ip_bottleneck_beta(n) > 0.0; n++)
    curve[n] = (ip_bound_point){.i_xt = 1.0 / (double)(n + 1), .i_ty = (double)n};
  return n;
}

/* Bytes of a file, read without allocating. */
static size_t raw_bytes(const char *path, char bytes[], size_t room)
{
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t n = read(fd, bytes, room);

  assert_true(n > 0 && (size_t)n < room);
  close(fd);
  return (size_t)n;
}

enum { ROOM = 4 << 20 };
static char left[ROOM], right[ROOM];

static void assert_same(const char *a, const char *b)
{
  const size_t n = raw_bytes(a, left, ROOM), m = raw_bytes(b, right, ROOM);

  assert_int_equal(n, m);
  assert_true(memcmp(left, right, n) == 0);
}

static void copy_of(const char *from, const char *to)
{
  const size_t n = raw_bytes(from, left, ROOM);
  const int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

  assert_true(write(fd, left, n) == (ssize_t)n);
  close(fd);
}

/* A file of this study, with these runs (a bit each) done done. */
static void make_done(const char *path, const char *share, unsigned runs)
{
  static const char yaml[] =
      "dataset: {samples: 16, labels: stochastic}\nnetwork.hidden: [2]\n"
      "train.epochs: 1\nrepeat: 2\nestimate: [{kind: binning, bins: 4}]\n";
  ip_options *options = NULL;
  ip_data *data = NULL;
  ip_plan *plan = NULL;
  ip_store *store = NULL;
  ip_record *of = NULL;
  bool created;

  OK(ip_options_read("f.yaml", yaml, sizeof yaml - 1, 1, &share, &options));
  OK(ip_data_create(options, &data));
  OK(ip_data_assume(
      data, 0,
      &(ip_data_shape){
          .n = 16, .d = 12, .k = 2, .checksum = 5, .n_curve = curve_points(), .curve = curve}));
  OK(ip_plan_create(options, data, &plan));
  OK(ip_store_prepare(path, plan, &example_origin, &created));
  OK(ip_store_open(MPI_COMM_SELF, path, plan, &example_origin, &store));
  OK(ip_record_create(plan, &of));
  for (size_t r = 0; r < plan->n_runs; r++) {
    if (!(runs & 1u << plan->run[r].number)) continue;
    example_record(of, (size_t)plan->run[r].number);
    of->run = r;
    of->status = IP_STATUS_DONE;
    OK(ip_store_put(store, of));
  }
  ip_record_destroy(&of);
  OK(ip_store_close(&store));
  ip_plan_destroy(&plan);
  ip_data_destroy(&data);
  ip_options_destroy(&options);
}

static PetscErrorCode join(const void *out)
{
  static const char *const path[] = {"a.h5", "b.h5"};
  ip_findings found = {.twice = 77};
  const PetscErrorCode code = ip_store_merge(2, path, out, false, &found);

  assert_int_equal(found.twice, code ? 77 : 0);
  assert_int_equal(access("x.h5.partial", F_OK), -1);
  assert_int_equal(access("x.h5.lock", F_OK), -1);
  assert_true(code || (found.status[0] == IP_STATUS_DONE && found.status[1] == IP_STATUS_DONE));
  if (!code) ip_findings_clear(&found);
  if (!code) assert_same(out, "whole.h5");
  if (code) assert_int_equal(access(out, F_OK), -1);
  unlink(out);
  return code;
}

static PetscErrorCode enlarge(const void *path)
{
  static const char *const setting[] = {"repeat=3"};
  ip_findings found = {0};
  bool grown = false;

  copy_of("whole.h5", path);
  const PetscErrorCode code = ip_store_grow(path, 1, setting, &found, &grown);

  assert_int_equal(grown, code == PETSC_SUCCESS);
  assert_true(code || found.n_runs == 3);
  if (code) assert_same(path, "whole.h5");
  ip_findings_clear(&found);
  assert_int_equal(access("x.h5.partial", F_OK), -1);
  assert_int_equal(access("x.h5.lock", F_OK), -1);
  unlink(path);
  return code;
}

static void proven(void **state)
{
  (void)state;
  make_done("a.h5", "share=1/2", 3);
  make_done("b.h5", "share=2/2", 3);
  make_done("whole.h5", "share=1/1", 3);
  fail_each("merge", join, "x.h5", 60);
  unlink("a.h5");
  unlink("b.h5");
  fail_each("grow", enlarge, "x.h5", 60);
  unlink("whole.h5");
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* Some of the texts: of a variable, of its attributes, of the root. */
static PetscErrorCode read_texts(const ip_results *results, char *text[3])
{
  PetscCall(ip_results_text(results, "column", 1, &text[0]));
  PetscCall(ip_results_text(results, "provenance/launch_json", 0, &text[1]));
  return ip_results_attribute(results, "i_xt", "units", &text[2]);
}

static PetscErrorCode look(const void *path)
{
  static const size_t start[] = {1, 0}, count[] = {2, 1};
  char *text[3] = {NULL};
  double value[2];
  ip_results *results = UNTOUCHED;
  PetscErrorCode code = ip_results_open(path, &results);

  if (failed(code, results)) return code;
  code = ip_results_block(results, "status", 2, start, count, value);
  if (!code) code = read_texts(results, text);
  for (int i = 0; i < 3; i++) ip_release(&text[i]);
  ip_results_close(&results);
  assert_null(results);
  return code;
}

static void results(void **state)
{
  bool created;

  (void)state;
  OK(ip_store_prepare("x.h5", &e.plan, &example_origin, &created));
  fail_each("results", look, "x.h5", EACH);
  unlink("x.h5");
}

/* ---- what the program keeps of it ------------------------------------------------------------------ */

static PetscErrorCode input_of(const void *path)
{
  const arguments a = {.verb = "run", .operand = path};
  input in = {0};
  char *output = UNTOUCHED;
  PetscErrorCode code = input_read(&a, &in);

  if (!code) code = input_plan(&in);
  if (!code) {
    code = output_path(&a, in.options, &output);
    if (!failed(code, output)) ip_release(&output);
  }
  input_clear(&in);
  assert_true(!in.name && !in.text && !in.options && !in.data && !in.plan);
  return code;
}

static PetscErrorCode told(const void *of)
{
  static char program[] = "infoplane", word[] = "a \"word\"\n";
  static char *const words[] = {program, word};
  const arguments a = {.program = program, .count = 2, .text = (char **)words};
  const launch l = {.comm = MPI_COMM_SELF, .size = 1};
  ip_text text = {0};
  PetscErrorCode code = launch_json(&l, &a, &text);

  ip_text_clear(&text);
  if (!code) code = versions_list(&text);
  ip_text_clear(&text);
  if (!code) code = describe_plan(of, &text);
  ip_text_clear(&text);
  return code;
}

static void inputs(void **state)
{
  static const char yaml[] = "dataset.samples: 20\nnetwork.hidden: [3]\ntrain.epochs: 1\n";
  const int fd = ip_file_open("x.yaml", O_WRONLY | O_CREAT);
  input in = {0};
  const arguments a = {.verb = "run", .operand = "x.yaml"};

  (void)state;
  OK(ip_file_write(fd, "x.yaml", yaml, sizeof yaml - 1, 0));
  close(fd);
  fail_each("input", input_of, "x.yaml", EACH);
  OK(input_read(&a, &in));
  OK(input_plan(&in));
  fail_each("what is said of a launch", told, in.plan, EACH);
  input_clear(&in);
  unlink("x.yaml");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prepare),     cmocka_unit_test(runs),    cmocka_unit_test(locks),
      cmocka_unit_test(checkpoints), cmocka_unit_test(checked), cmocka_unit_test(proven),
      cmocka_unit_test(results),     cmocka_unit_test(inputs),
  };

  setenv("OMPI_MCA_io", "romio321", 0);
  MPI_Init(&argc, &argv);
  PetscPushErrorHandler(ip_error_handler, NULL);
  const int result = cmocka_run_group_tests(tests, enter, folder_leave);

  MPI_Finalize();
  return result;
}
