/* Runs written by every rank, proved by their checksums, and equal bytes for any number of ranks.

   With one argument it leaves a finished file there, for readers that are not ours. */

#include "example.h"
#include "h5.h"
#include <mpi.h>

static char folder[64] = "/tmp/infoplane_runs_XXXXXX";
static int rank, size;

static int enter(void **state)
{
  int made = 1;

  (void)state;
  if (rank == 0) made = mkdtemp(folder) != NULL;
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  MPI_Bcast(&made, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return made && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
  (void)state;
  MPI_Barrier(MPI_COMM_WORLD);
  return chdir("/") == 0 && (rank != 0 || rmdir(folder) == 0) ? 0 : -1;
}

/* Rank 0 makes the file, then all open it. */
static ip_store *open_store(const example *e, const char *path, const ip_store_origin *origin)
{
  ip_store *store = NULL;
  bool created;

  if (rank == 0) OK(ip_store_prepare(path, &e->plan, origin, &created));
  MPI_Barrier(MPI_COMM_WORLD);
  OK(ip_store_open(MPI_COMM_WORLD, path, &e->plan, origin, &store));
  return store;
}

/* Run r by rank r + first, the last run first. */
static void put_runs(const example *e, ip_store *store, int first)
{
  ip_record *record = NULL;

  OK(ip_record_create(&e->plan, &record));
  for (int r = RUNS - 1; r >= 0; r--) {
    if ((r + first) % size != rank) continue;
    example_record(record, (size_t)r);
    OK(ip_store_put(store, record));
  }
  ip_record_destroy(&record);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void remove_file(const char *path)
{
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) unlink(path);
}

static void assert_status(ip_store *store, const int8_t want[RUNS], size_t want_damaged)
{
  int8_t status[RUNS];
  size_t damaged = 0;

  OK(ip_store_verify_all(store, status, &damaged));
  for (int r = 0; r < RUNS; r++)
    if (status[r] != want[r]) fail_msg("run %d: status %d, wanted %d", r, status[r], want[r]);

  /* Of this launch's runs alone: rank 0 knows the others. */
  memset(status, IP_STATUS_FAILED, sizeof status);
  if (rank == 0) memcpy(status, want, sizeof status);
  OK(ip_store_verify_put(store, status, &damaged));
  assert_memory_equal(status, want, sizeof status);
  damaged = 0;
  OK(ip_store_verify_all(store, status, &damaged));
  assert_int_equal(damaged, want_damaged);
}

static const int8_t all_done[RUNS] = {1, 1, 1, 2, 1};

static void written_runs_are_proved(void **state)
{
  example e;
  ip_status status = IP_STATUS_DONE;
  ip_record *record = NULL;

  (void)state;
  example_create(&e);
  ip_store *store = open_store(&e, "x.h5", &example_origin);

  assert_status(store, (int8_t[RUNS]){0}, 0);
  OK(ip_record_create(&e.plan, &record));
  if (rank == size - 1) {
    example_record(record, 2);
    OK(ip_store_put(store, record));
  }
  ip_record_destroy(&record);
  MPI_Barrier(MPI_COMM_WORLD);
  assert_status(store, (int8_t[RUNS]){0, 0, 1, 0, 0}, 0);
  OK(ip_store_verify(store, 2, &status));
  assert_int_equal(status, IP_STATUS_DONE);
  MPI_Barrier(MPI_COMM_WORLD);
  put_runs(&e, store, 1);
  OK(ip_store_close(&store));
  assert_null(store);

  store = open_store(&e, "x.h5", &example_origin); /* the next launch */
  assert_status(store, all_done, 0);
  OK(ip_store_close(&store));
  remove_file("x.h5");
}

static void bytes_do_not_depend_on_ranks(void **state)
{
  example e;
  ip_store *store = NULL;
  ip_record *record = NULL;
  bool created;

  (void)state;
  example_create(&e);
  store = open_store(&e, "x.h5", &example_origin);
  put_runs(&e, store, 0);
  OK(ip_store_close(&store));
  if (rank == 0) {
    OK(ip_store_prepare("alone.h5", &e.plan, &example_origin, &created));
    OK(ip_store_open(MPI_COMM_SELF, "alone.h5", &e.plan, &example_origin, &store));
    OK(ip_record_create(&e.plan, &record));
    for (size_t r = 0; r < RUNS; r++) {
      example_record(record, r);
      OK(ip_store_put(store, record));
    }
    ip_record_destroy(&record);
    OK(ip_store_close(&store));
    same_bytes("x.h5", "alone.h5");
    unlink("alone.h5");
  }
  remove_file("x.h5");
}

/* Turn one bit of the file, where this text of bytes stands. */
static void flip(const char *path, const void *bytes, size_t n)
{
  size_t length = 0;
  unsigned char *file = file_bytes(path, &length);
  const unsigned char *found = memmem(file, length, bytes, n);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);

  assert_non_null(found);
  const unsigned char turned = *found ^ 0x10;

  assert_int_equal(pwrite(fd, &turned, 1, found - file), 1);
  close(fd);
  ip_release(&file);
}

static void damage_is_found(void **state)
{
  example e;
  const double cell = example_cell(IP_FIELD_loss_train, 1, 2);
  ip_status status = IP_STATUS_DONE;

  (void)state;
  example_create(&e);
  ip_store *store = open_store(&e, "x.h5", &example_origin);

  put_runs(&e, store, 0);
  OK(ip_store_close(&store));
  if (rank == 0) flip("x.h5", &cell, sizeof cell);
  store = open_store(&e, "x.h5", &example_origin);
  assert_status(store, (int8_t[RUNS]){1, 0, 1, 2, 1}, 1);
  OK(ip_store_verify(store, 1, &status));
  assert_int_equal(status, IP_STATUS_PENDING);
  MPI_Barrier(MPI_COMM_WORLD);
  put_runs(&e, store, 0); /* recomputed */
  assert_status(store, all_done, 0);
  OK(ip_store_close(&store));

  /* a run of another identity is not this run, whatever its bytes */
  e.run[4].replicate = 77;
  store = open_store(&e, "x.h5", &example_origin);
  assert_status(store, (int8_t[RUNS]){1, 1, 1, 2, 0}, 1);
  OK(ip_store_close(&store));
  remove_file("x.h5");
}

static void a_replaced_lock_stops_writing(void **state)
{
  example e;
  ip_lock *lock = NULL;
  uint64_t token = 0;
  ip_record *record = NULL;

  (void)state;
  example_create(&e);
  if (rank == 0) {
    OK(ip_lock_take("x.h5", false, 0, &lock));
    token = ip_lock_token(lock);
  }
  MPI_Bcast(&token, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
  ip_store *store = open_store(&e, "x.h5", &example_origin);

  OK(ip_store_guard(store, token));
  put_runs(&e, store, 0);
  OK(ip_store_guard(store, token ^ 1));
  OK(ip_record_create(&e.plan, &record));
  example_record(record, 0);
  FAILS(ip_store_put(store, record), IP_ERR_LOCKED, "taken by another job");
  OK(ip_store_guard(store, token));
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) ip_lock_release(&lock);
  MPI_Barrier(MPI_COMM_WORLD);
  FAILS(ip_store_put(store, record), IP_ERR_LOCKED, "removed");
  ip_record_destroy(&record);
  OK(ip_store_close(&store));
  remove_file("x.h5");
}

static void another_build_needs_a_word(void **state)
{
  example e;
  ip_store_origin other = example_origin;
  ip_store *store;
  ip_results *results = NULL;
  char *text = NULL;
  bool created;
  double index = -2;
  const size_t run[] = {4}, one[] = {1};

  (void)state;
  example_create(&e);
  store = open_store(&e, "x.h5", &example_origin);
  OK(ip_store_close(&store));
  other.build = "build-two";
  if (rank == 0)
    FAILS(ip_store_prepare("x.h5", &e.plan, &other, &created), IP_ERR_CONFIG,
          "accept_build=yes");
  other.accept_build = true;
  store = open_store(&e, "x.h5", &other);
  put_runs(&e, store, 0);
  OK(ip_store_close(&store));
  OK(ip_results_open("x.h5", &results));
  OK(ip_results_text(results, "provenance/build_text", 1, &text));
  assert_string_equal(text, "build-two");
  ip_release(&text);
  OK(ip_results_block(results, "provenance/build_index", 1, run, one, &index));
  NEAR(index, 1, 0, "build of run 4");
  ip_results_close(&results);
  remove_file("x.h5");
}

/* One launch, told in row i of the file afterwards. */
static void launch(const example *e, const ip_store_origin *origin, const char *end, size_t i,
                   const char *want)
{
  ip_results *results = NULL;
  char *text = NULL;
  ip_store *store = open_store(e, "x.h5", origin);

  if (rank == 0 && end) OK(ip_store_end_launch(store, end));
  OK(ip_store_close(&store));
  OK(ip_results_open("x.h5", &results));
  OK(ip_results_text(results, "provenance/launch_json", i, &text));
  assert_string_equal(text, want);
  ip_release(&text);
  ip_results_close(&results);
  MPI_Barrier(MPI_COMM_WORLD);
}

/* When one rank cannot open the file, none goes on. */
static void one_for_all(void **state)
{
  example e;
  bool created;
  ip_store *store = NULL;

  (void)state;
  example_create(&e);
  if (rank == 0) OK(ip_store_prepare("x.h5", &e.plan, &example_origin, &created));
  MPI_Barrier(MPI_COMM_WORLD);
  FAILS(ip_store_open(MPI_COMM_WORLD, rank == size - 1 ? "absent.h5" : "x.h5", &e.plan,
                      &example_origin, &store),
        IP_ERR_IO, rank == size - 1 ? "absent.h5" : "another rank");
  assert_null(store);
  remove_file("x.h5");
}

/* Ranks of two installations: whichever rank it is, all say the same, and nothing is written. */
static void one_build_for_all(void **state)
{
  example e;
  bool created;

  (void)state;
  if (size == 1) skip();
  example_create(&e);
  if (rank == 0) OK(ip_store_prepare("x.h5", &e.plan, &example_origin, &created));
  if (rank == 0) OK(ip_store_prepare("untouched.h5", &e.plan, &example_origin, &created));
  for (int odd = 1; odd < size; odd++) {
    ip_store *store = NULL;
    ip_store_origin origin = example_origin;
    char says[96];

    origin.accept_build = true; /* of a file that stands, not of ranks */
    if (rank >= odd) origin.build = rank == odd ? "build-odd" : "build-even";
    snprintf(says, sizeof says, "rank %d runs another build of infoplane (build-odd) than",
             odd);
    MPI_Barrier(MPI_COMM_WORLD);
    FAILS(ip_store_open(MPI_COMM_WORLD, "x.h5", &e.plan, &origin, &store), IP_ERR_CONFIG, says);
    FAILS(ip_store_open(MPI_COMM_WORLD, "x.h5", &e.plan, &origin, &store), IP_ERR_CONFIG,
          "rank 0 (build-one)");
    assert_null(store);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) same_bytes("x.h5", "untouched.h5");
  remove_file("x.h5");
  remove_file("untouched.h5");
}

/* What is no run of the plan, or has not ended, is not written. */
static void mistakes_are_refused(void **state)
{
  static const struct {
    size_t run;
    ip_status status;
    const char *says;
  } row[] = {
      {RUNS, IP_STATUS_DONE,       "run 5 is not one of 5"     },
      {1,    IP_STATUS_PENDING,    "not that of a finished run"},
      {1,    IP_STATUS_FAILED + 1, "not that of a finished run"},
  };
  example e;
  ip_record *record = NULL;
  ip_status status;

  (void)state;
  example_create(&e);
  ip_store *store = open_store(&e, "x.h5", &example_origin);

  OK(ip_record_create(&e.plan, &record));
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    record->run = row[i].run;
    record->status = row[i].status;
    FAILS(ip_store_put(store, record), IP_ERR_INTERNAL, row[i].says);
  }
  FAILS(ip_store_verify(store, RUNS, &status), IP_ERR_INTERNAL, "run 5 is not one of 5");
  ip_record_destroy(&record);
  OK(ip_store_end_launch(store, "1")); /* a reproducible file does not tell */
  MPI_Barrier(MPI_COMM_WORLD);
  OK(ip_store_close(&store));
  OK(ip_store_close(&store));
  remove_file("x.h5");
}

/* Rows first .. end - 1, as if so many launches had been. */
static void fill_launches(const char *path, size_t first, size_t end)
{
  const hid_t access = ip_h5_access(), file = H5Fopen(path, H5F_ACC_RDWR, access);
  const hid_t dataset = H5Dopen2(file, "provenance/launch_json", H5P_DEFAULT);

  for (size_t i = first; i < end; i++) {
    const ip_cells cells = {
        .n_axes = 2, .start = {i, 0},
             .count = {1, 1}
    };

    OK(ip_h5_write(dataset, H5T_NATIVE_UINT8, &cells, "1"));
  }
  ip_h5_close(dataset);
  ip_h5_close(access);
  assert_true(H5Fclose(file) >= 0);
}

static void launches_are_told(void **state)
{
  static const char plain[] = "{\"start\": {\"ranks\": 2}, \"end\": null}";
  static char long_json[9000];
  example e;
  ip_store_origin origin = example_origin;

  (void)state;
  example_create(&e);
  origin.reproducible = false;
  launch(&e, &origin, "{\"exit\": 75}", 0,
         "{\"start\": {\"ranks\": 2}, \"end\": {\"exit\": 75}}");
  launch(&e, &origin, NULL, 1, plain);
  if (rank == 0) fill_launches("x.h5", 2, 63);
  launch(&e, &origin, NULL, 63, plain);
  launch(&e, &origin, "1", 63,
         "{\"start\": {\"ranks\": 2}, \"end\": 1}"); /* full: the last again */
  launch(&e, &origin, NULL, 63, plain);
  memset(long_json, 'x', sizeof long_json - 1);
  origin.launch_json = NULL;
  launch(&e, &origin, NULL, 63, "{\"start\": null, \"end\": null}");
  origin.launch_json = example_origin.launch_json;
  launch(&e, &origin, long_json, 63, "{\"start\": \"too long\", \"end\": \"too long\"}");
  remove_file("x.h5");
}

/* A reader sees what is written, while it is being written. */
static void results_are_read_meanwhile(void **state)
{
  example e;
  ip_results *results = NULL;
  size_t n_axes = 0, length[IP_RESULTS_RANK];
  double value[LAYERS], status = 0;
  char *text = NULL;

  (void)state;
  example_create(&e);
  ip_store *store = open_store(&e, "x.h5", &example_origin);

  OK(ip_results_open("x.h5", &results));
  put_runs(&e, store, 0);
  assert_int_equal(ip_results_axis(results, "run"), RUNS);
  assert_int_equal(ip_results_axis(results, "epoch"), EPOCHS);
  assert_int_equal(ip_results_axis(results, "nothing"), 0);
  assert_true(ip_results_shape(results, "i_ty", &n_axes, length));
  assert_int_equal(n_axes, 4);
  assert_int_equal(length[1], COLUMNS);
  OK(ip_results_block(results, "i_ty", 4, (size_t[]){3, 1, 2, 0}, (size_t[]){1, 1, 1, LAYERS},
                      value));
  for (size_t l = 0; l < LAYERS; l++)
    NEAR(value[l], example_cell(IP_FIELD_i_ty, 3, ((size_t)EPOCHS + 2) * LAYERS + l), 0,
         "i_ty");
  OK(ip_results_block(results, "status", 2, (size_t[]){3, 0}, (size_t[]){1, 1}, &status));
  NEAR(status, IP_STATUS_DIVERGED, 0, "status");
  OK(ip_results_text(results, "column", 1, &text));
  assert_string_equal(text, "kde_upper_0.001");
  ip_release(&text);
  OK(ip_results_attribute(results, "i_ty", "units", &text));
  assert_string_equal(text, "bit");
  ip_release(&text);
  OK(ip_results_attribute(results, NULL, "Conventions", &text));
  assert_string_equal(text, "CF-1.10");
  ip_release(&text);

  FAILS(ip_results_block(results, "i_ty", 2, (size_t[]){0, 0}, (size_t[]){1, 1}, value),
        IP_ERR_DATA, "4 axes");
  FAILS(ip_results_block(results, "status", 2, (size_t[]){RUNS, 0}, (size_t[]){1, 1}, value),
        IP_ERR_DATA, "beyond the ends");
  FAILS(
      ip_results_block(results, "status", 2, (size_t[]){1, 0}, (size_t[]){SIZE_MAX, 1}, value),
      IP_ERR_DATA, "beyond the ends");
  FAILS(
      ip_results_block(results, "status", 2, (size_t[]){RUNS + 1, 0}, (size_t[]){0, 1}, value),
      IP_ERR_DATA, "beyond the ends");
  assert_int_equal(ip_results_axis(results, "status"), 0); /* two axes */
  FAILS(ip_results_block(results, "column", 1, (size_t[]){0}, (size_t[]){1}, value),
        IP_ERR_DATA, "no numbers");
  FAILS(ip_results_block(results, "nothing", 1, (size_t[]){0}, (size_t[]){1}, value),
        IP_ERR_DATA, "no variable");
  FAILS(ip_results_text(results, "column", COLUMNS, &text), IP_ERR_DATA, "no element");
  FAILS(ip_results_text(results, "i_xt", 0, &text), IP_ERR_DATA, "no texts");
  FAILS(ip_results_attribute(results, "i_xt", "nothing", &text), IP_ERR_DATA, "nothing");
  FAILS(ip_results_open("absent.h5", &results), IP_ERR_NO_INPUT, "absent.h5");
  ip_results_close(&results);
  ip_results_close(&results);
  OK(ip_store_close(&store));
  remove_file("x.h5");
}

static int write_for_others(const char *path)
{
  example e;
  bool created;
  ip_store_origin origin = example_origin;
  ip_store *store = NULL;
  ip_record *record = NULL;

  example_create(&e);
  origin.reproducible = false;
  OK(ip_store_prepare(path, &e.plan, &origin, &created));
  OK(ip_store_open(MPI_COMM_SELF, path, &e.plan, &origin, &store));
  OK(ip_record_create(&e.plan, &record));
  for (size_t r = 0; r < RUNS - 1; r++) { /* the last one stays pending */
    example_record(record, r);
    OK(ip_store_put(store, record));
  }
  ip_record_destroy(&record);
  OK(ip_store_close(&store));
  return 0;
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(written_runs_are_proved),
      cmocka_unit_test(bytes_do_not_depend_on_ranks),
      cmocka_unit_test(damage_is_found),
      cmocka_unit_test(a_replaced_lock_stops_writing),
      cmocka_unit_test(another_build_needs_a_word),
      cmocka_unit_test(launches_are_told),
      cmocka_unit_test(one_for_all),
      cmocka_unit_test(one_build_for_all),
      cmocka_unit_test(mistakes_are_refused),
      cmocka_unit_test(results_are_read_meanwhile),
  };

  setenv("OMPI_MCA_io", "romio321", 0);
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  PetscPushErrorHandler(ip_error_handler, NULL);
  const int failed =
      argc > 1 ? write_for_others(argv[1]) : cmocka_run_group_tests(tests, enter, leave);

  MPI_Finalize();
  return failed;
}
