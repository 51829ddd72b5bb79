/* No memory left for what a file shows: its claims and tables, its figures (gnuplot is played by a
   script that draws nothing), the summary, and the verbs that only look. */

#include "failing.h"
#include "folder.h"
#include <cli.h>
#include <ftw.h>
#include <infoplane/view.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char study_yaml[] =
    "dataset: {name: symmetric, samples: 60, choice: random}\n"
    "network: {hidden: [4, 3], activation: tanh, output: softmax}\n"
    "train: {fraction: 85%, optimizer: adam, learning_rate: 1e-2, batch: 16, epochs: 4}\n"
    "repeat: 3\n"
    "look: [0, 1, 2, 4]\n"
    "gradient_batch: 8\n"
    "estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-1}]\n"
    "studies:\n"
    "  - {name: sizes, train.fraction: [30%, 85%]}\n"
    "  - {name: 'depth, \"quoted\"', network.hidden: [[4], [4, 3]]}\n"
    "  - {name: drawn, dataset.labels: stochastic}\n"
    "  - {name: noise, train.batch: [16, full]}\n"
    "  - {name: kept, save.weights: final, network.activation: [tanh, softsign]}\n";

static FILE *nowhere;
static input in;

/* What gnuplot would leave, from its argument: out = 'name'. */
static const char gnuplot[] = "#!/bin/sh\n"
                              "[ \"$2\" = --version ] && exit\n"
                              "out=${3#*\\'}\n"
                              "for kind in pdf png svg gif; do : >\"${out%\\'}.$kind\"; done\n";

static void write_file(const char *name, const char *text, mode_t mode)
{
  const int fd = ip_file_open(name, O_WRONLY | O_CREAT | O_TRUNC);

  assert_true(fd >= 0);
  OK(ip_file_write(fd, name, text, strlen(text), 0));
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
}

/* Train all runs, as a sweep of one rank does. */
static void make_results(void)
{
  const arguments a = {.verb = "run", .operand = "x.yaml"};
  const ip_store_origin origin = {.version = "0.1.0", .commit = "a1b2c3d", .build = "build"};
  ip_record *record = NULL;
  ip_store *store = NULL;
  bool created, stopped;

  OK(input_read(&a, &in));
  OK(input_plan(&in));
  OK(ip_store_prepare("x.h5", in.plan, &origin, &created));
  OK(ip_store_open(MPI_COMM_SELF, "x.h5", in.plan, &origin, &store));
  OK(ip_record_create(in.plan, &record));
  for (size_t run = 0; run < in.plan->n_runs; run++) {
    OK(ip_run_train(in.plan, run, NULL, record, &stopped));
    OK(ip_store_put(store, record));
  }
  ip_record_destroy(&record);
  OK(ip_store_close(&store));
}

static int enter(void **state)
{
  char path[4096];

  if (folder_enter(state) != 0 || mkdir("bin", 0777) != 0) return -1;
  snprintf(path, sizeof path, "%s/bin:%s", folder, getenv("PATH"));
  setenv("PATH", path, 1);
  nowhere = fopen("/dev/null", "we");
  write_file("bin/gnuplot", gnuplot, 0755);
  write_file("x.yaml", study_yaml, 0644);
  make_results();
  return nowhere ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
  (void)about, (void)kind, (void)place;
  return remove(path);
}

static int leave(void **state)
{
  (void)state;
  input_clear(&in);
  fclose(nowhere);
  return chdir("/") == 0 ? nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

/* ---- the rooms --------------------------------------------------------------------------------- */

static PetscErrorCode claims(const void *path)
{
  return ip_view_claims(path, "shown", nowhere);
}

static PetscErrorCode figures(const void *columns)
{
  return ip_view_figures("x.h5", "shown", columns, nowhere);
}

static PetscErrorCode unknown_column(const void *columns)
{
  const PetscErrorCode code = figures(columns);

  return code == IP_ERR_USAGE ? PETSC_SUCCESS : code;
}

static PetscErrorCode summary(const void *path)
{
  return summary_print(nowhere, in.plan, path);
}

static void shown(void **state)
{
  (void)state;
  fail_each("summary", summary, "x.h5", 20);
  fail_each("claims", claims, "x.h5", 20);
  fail_each("unknown column", unknown_column, "bin30,none", 20);
  fail_each("figures", figures, "all", 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(shown)};

  setenv("OMPI_MCA_io", "romio321", 0);
  PetscPushErrorHandler(ip_error_handler, NULL);
  if (PetscInitializeNoArguments()) return 1;
  const int result = cmocka_run_group_tests(tests, enter, leave);

  PetscFinalize();
  return result;
}
