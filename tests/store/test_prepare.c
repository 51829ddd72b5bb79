/* The file before the first run: made whole or not at all, and strange files left as they are. */

#include "builds.h"
#include "example.h"
#include "folder.h"
#include "h5.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void prepare(const example *e, const char *path, bool made)
{
  bool created = !made;

  OK(ip_store_prepare(path, &e->plan, &example_origin, &created));
  assert_int_equal(created, made);
}

/* The file is refused with this code and text, and stays as it was. */
static void refused(const char *path, const ip_plan *plan, const ip_store_origin *origin,
                    PetscErrorCode code, const char *text)
{
  size_t n = 0, m = 0;
  unsigned char *before = file_bytes(path, &n);
  bool created = false;

  FAILS(ip_store_prepare(path, plan, origin, &created), code, text);
  unsigned char *after = file_bytes(path, &m);

  assert_int_equal(n, m);
  assert_memory_equal(before, after, n);
  ip_release(&before);
  ip_release(&after);
}

static void made_once_then_recognized(void **state)
{
  example e;
  uint64_t size = 0, available = 0;
  struct stat about;

  (void)state;
  example_create(&e);
  OK(ip_store_free_space("x.h5", &available));
  prepare(&e, "x.h5", true);
  assert_int_not_equal(access("x.h5.partial", F_OK), 0);
  prepare(&e, "x.h5", false);
  OK(ip_store_size(&e.plan, &size));
  assert_int_equal(stat("x.h5", &about), 0);
  NEAR((double)size / (double)about.st_size, 1, 0.1, "predicted bytes of %ld",
       (long)about.st_size);
  /* what was reserved beyond the end is given back */
  assert_true(about.st_blocks * 512 < about.st_size + 65536);
  unlink("x.h5");
}

static void equal_plans_give_equal_bytes(void **state)
{
  example e;
  FILE *rubbish = fopen("b.h5.partial", "w");

  (void)state;
  assert_non_null(rubbish);
  fputs("left over", rubbish);
  fclose(rubbish);
  example_create(&e);
  prepare(&e, "a.h5", true);
  usleep(1100000); /* times in HDF5 have seconds */
  prepare(&e, "b.h5", true);
  same_bytes("a.h5", "b.h5");
  unlink("a.h5");
  unlink("b.h5");
}

/* kill -9 at any moment: the next start finds a whole file or none. */
static void killed_creation_is_begun_again(void **state)
{
  example e;
  bool created;

  (void)state;
  example_create(&e);
  prepare(&e, "whole.h5", true);
  for (int i = 0; i < 12; i++) {
    const pid_t child = fork();

    if (child == 0) {
      (void)ip_store_prepare("x.h5", &e.plan, &example_origin, &created);
      _exit(0);
    }
    usleep((useconds_t)(1500 * i)); /* a creation takes some 10 ms */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    OK(ip_store_prepare("x.h5", &e.plan, &example_origin, &created));
    same_bytes("x.h5", "whole.h5");
    assert_int_not_equal(access("x.h5.partial", F_OK), 0);
    unlink("x.h5");
  }
  unlink("whole.h5");
}

static void write_file(const char *path, const void *bytes, size_t n)
{
  FILE *file = fopen(path, "w");

  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  fclose(file);
}

static void strange_files_are_refused(void **state)
{
  example e;
  size_t n = 0;
  const int32_t newer = 2;

  (void)state;
  example_create(&e);
  write_file("empty.h5", "", 0);
  refused("empty.h5", &e.plan, &example_origin, IP_ERR_DATA, "empty (0 bytes)");
  write_file("text.h5", "my thesis", 9);
  refused("text.h5", &e.plan, &example_origin, IP_ERR_DATA, "not an HDF5 file");

  prepare(&e, "x.h5", true);
  unsigned char *bytes = file_bytes("x.h5", &n);

  write_file("cut.h5", bytes, n - 8);
  refused("cut.h5", &e.plan, &example_origin, IP_ERR_DATA, "damaged or cut off");
  write_file("cut.h5", bytes, n / 2);
  refused("cut.h5", &e.plan, &example_origin, IP_ERR_DATA, "damaged or cut off");
  ip_release(&bytes);

  ip_h5_close(H5Fcreate("other.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  refused("other.h5", &e.plan, &example_origin, IP_ERR_DATA, "not one of infoplane");
  const hid_t file = H5Fopen("other.h5", H5F_ACC_RDWR, H5P_DEFAULT);

  OK(ip_h5_write_numbers(file, "infoplane_format_version", IP_INT32, 1, &newer));
  ip_h5_close(file);
  refused("other.h5", &e.plan, &example_origin, IP_ERR_DATA, "newer infoplane");

  bool created = false;

  assert_int_equal(mkdir("folder.h5", 0700) | mkfifo("pipe.h5", 0600), 0);
  FAILS(ip_store_prepare("folder.h5", &e.plan, &example_origin, &created), IP_ERR_DATA,
        "folder.h5");
  FAILS(ip_store_prepare("pipe.h5", &e.plan, &example_origin, &created), IP_ERR_DATA,
        "pipe.h5");
  FAILS(ip_store_prepare("none/x.h5", &e.plan, &example_origin, &created), IP_ERR_CREATE,
        "folder none");
  rmdir("folder.h5");
  unlink("pipe.h5"), unlink("empty.h5"), unlink("text.h5"), unlink("cut.h5");
  unlink("other.h5"), unlink("x.h5");
}

static void another_study_is_refused(void **state)
{
  example e;

  (void)state;
  example_create(&e);
  prepare(&e, "x.h5", true);
  e.learning_rate[1].real = 2e-3;
  refused("x.h5", &e.plan, &example_origin, IP_ERR_CONFIG, "learning_rate");
  e.learning_rate[1].real = 1e-3;
  e.plan.n_epochs = EPOCHS - 1;
  refused("x.h5", &e.plan, &example_origin, IP_ERR_DATA, "another shape");
  unlink("x.h5");
}

static void full_disk_leaves_nothing(void **state)
{
  example e;
  struct rlimit before, limit;
  bool created = false;

  (void)state;
  example_create(&e);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 100000;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  FAILS(ip_store_prepare("x.h5", &e.plan, &example_origin, &created), IP_ERR_IO, "ulimit -f");
  assert_int_not_equal(access("x.h5", F_OK), 0);
  assert_int_not_equal(access("x.h5.partial", F_OK), 0);
  limit.rlim_cur = 100000000; /* enough */
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  prepare(&e, "x.h5", true);
  unlink("x.h5");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

  ip_store_origin beside = example_origin; /* checkpoints that no disk has room for */

  beside.beside = UINT64_MAX / 2;
  FAILS(ip_store_prepare("x.h5", &e.plan, &beside, &created), IP_ERR_IO, "are free");
  e.plan.n_epochs = INT32_MAX; /* more than any disk has: refused before anything is made */
  FAILS(ip_store_prepare("x.h5", &e.plan, &example_origin, &created), IP_ERR_IO, "are free");
  e.plan.n_epochs = (size_t)INT32_MAX + 1;
  FAILS(ip_store_prepare("x.h5", &e.plan, &example_origin, &created), IP_ERR_CONFIG,
        "along epoch are more than the file can count");
  assert_int_not_equal(access("x.h5.partial", F_OK), 0);
}

/* As many builds as the file has names for, then one more. */
static void builds_are_counted(void **state)
{
  example e;
  char name[32];
  bool created = false;
  ip_store_origin other = example_origin;
  hid_t access = ip_h5_access();

  (void)state;
  example_create(&e);
  prepare(&e, "x.h5", true);
  const hid_t file = H5Fopen("x.h5", H5F_ACC_RDWR, access);
  const hid_t dataset = H5Dopen2(file, "provenance/build_text", H5P_DEFAULT);

  for (int i = 0; i < IP_LAYOUT_BUILDS; i++) {
    snprintf(name, sizeof name, "build-%d", i);
    OK(ip_builds_write(dataset, i, name));
  }
  ip_h5_close(dataset);
  ip_h5_close(file);
  ip_h5_close(access);
  other.accept_build = true;
  other.build = "build-9";
  OK(ip_store_prepare("x.h5", &e.plan, &other, &created));
  other.build = "build-99";
  refused("x.h5", &e.plan, &other, IP_ERR_CONFIG, "continued by 16 builds");
  unlink("x.h5");
}

/* Names are unique, and no array lacks unit or sentence. */
static void every_array_is_explained(void **state)
{
  example e;
  ip_layout *layout = NULL;

  (void)state;
  example_create(&e);
  OK(ip_layout_create(&e.plan, &layout));
  for (size_t i = 0; i < layout->n; i++) {
    const ip_variable *v = &layout->variable[i];

    assert_true(v->unit && v->unit[0] && v->long_name && v->long_name[0]);
    assert_ptr_equal(ip_layout_find(layout, v->group, v->name), v);
  }
  assert_null(ip_layout_find(layout, "timing", "run"));
  ip_layout_destroy(&layout);
}

/* What an option or a parameter with a coordinate may be: layout.c knows no other. */
static void coordinates_have_a_form(void **state)
{
  const ip_parameter *row;

  (void)state;
  for (size_t key = 0; (row = ip_option_row(key)) != NULL; key++) {
    if (!row->coordinate) continue;
    assert_int_equal(row->scope, IP_SCOPE_RUN);
    assert_true(row->type == IP_INTEGER || row->type == IP_REAL || row->type == IP_CHOICE);
  }
  for (size_t i = 0; ip_estimator_row(i); i++)
    for (row = ip_estimator_row(i)->parameter; row->key; row++) {
      assert_non_null(row->coordinate);
      assert_true(row->type == IP_INTEGER || row->type == IP_REAL || row->type == IP_CHOICE ||
                  row->type == IP_INTERVAL);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(made_once_then_recognized),
      cmocka_unit_test(equal_plans_give_equal_bytes),
      cmocka_unit_test(killed_creation_is_begun_again),
      cmocka_unit_test(strange_files_are_refused),
      cmocka_unit_test(another_study_is_refused),
      cmocka_unit_test(full_disk_leaves_nothing),
      cmocka_unit_test(builds_are_counted),
      cmocka_unit_test(every_array_is_explained),
      cmocka_unit_test(coordinates_have_a_form),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
