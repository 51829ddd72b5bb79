/* Two files compared: what differs is named with its first cell and its size, and no more is. */

#include "../study/study.h"
#include "example.h"
#include "folder.h"
#include <mpi.h>
#include <petscsys.h>

enum { THREE = 3 };

/* Layers of 3 and 2 units at epochs 0 and 2: a column has 4 cells, epoch before layer. */
static const char yaml[] = "network.hidden: [3]\ntrain.epochs: 2\ndataset.samples: 12\n";
static const char bins[] = "look: [0]\nrepeat: 3\nestimate: [{kind: binning, bins: 30}]\n";

typedef void (*change)(ip_record *record);

/* A file of this study, all runs done but those left out, changed where asked. */
static void write_file(const char *path, const char *more, size_t runs, change by)
{
  char text[512];
  ip_store *store = NULL;
  ip_record *record = NULL;
  bool created;

  snprintf(text, sizeof text, "%s%s", yaml, more);
  study s = study_of(text);

  OK(ip_store_prepare(path, s.plan, &example_origin, &created));
  OK(ip_store_open(MPI_COMM_SELF, path, s.plan, &example_origin, &store));
  OK(ip_record_create(s.plan, &record));
  for (size_t r = 0; r < runs; r++) {
    example_record(record, r);
    record->status = IP_STATUS_DONE;
    if (by) by(record);
    OK(ip_store_put(store, record));
  }
  ip_record_destroy(&record);
  OK(ip_store_close(&store));
  study_clear(&s);
}

static ip_difference diff(void)
{
  ip_difference d = {0};

  OK(ip_store_diff("a.h5", "b.h5", &d));
  unlink("a.h5");
  unlink("b.h5");
  return d;
}

/* 2 in cell 0 of run 2, after 0.5 in cell 3 of run 1; a number less in run 2. */
static void change_numbers(ip_record *record)
{
  double *i_xt = record->array[IP_FIELD_i_xt], *loss = record->array[IP_FIELD_loss_train];

  if (record->run == 1) i_xt[3] += 0.5;
  if (record->run == 2) i_xt[0] -= 2.0;
  if (record->run == 2) loss[1] = (double)NAN;
}

static void what_differs_is_named(void **state)
{
  (void)state;
  write_file("a.h5", bins, THREE, NULL);
  write_file("b.h5", bins, THREE, change_numbers);
  ip_difference d = diff();
  const ip_field_difference *i_xt = &d.field[IP_FIELD_i_xt],
                            *loss = &d.field[IP_FIELD_loss_train];

  assert_false(ip_difference_none(&d));
  assert_int_equal(d.config.length, 0);
  assert_string_equal(d.runs.text, "1 2");
  assert_int_equal(d.compared, THREE);
  assert_int_equal(i_xt->runs, 2);
  assert_int_equal(i_xt->run, 1);
  assert_string_equal(i_xt->where, "column bin30, epoch 2, layer 2");
  assert_true(i_xt->a == 100.375 && i_xt->b == 100.875);
  assert_true(i_xt->largest == 2.0);
  assert_int_equal(loss->runs, 1);
  assert_int_equal(loss->run, 2);
  assert_string_equal(loss->where, "epoch 2");
  assert_true(isinf(loss->largest));
  for (size_t f = 0; f < IP_FIELDS; f++)
    if (f != IP_FIELD_i_xt && f != IP_FIELD_loss_train) assert_int_equal(d.field[f].runs, 0);
  ip_difference_clear(&d);
}

static void the_same_is_the_same(void **state)
{
  (void)state;
  write_file("a.h5", bins, 2, change_numbers);
  write_file("b.h5", bins, 2, change_numbers);
  ip_difference d = diff();

  assert_true(ip_difference_none(&d));
  assert_int_equal(d.compared, 2);
  assert_int_equal(d.pending, 1);
  ip_difference_clear(&d);
}

static void a_run_that_one_has_not_finished_differs(void **state)
{
  (void)state;
  write_file("a.h5", bins, THREE, NULL);
  write_file("b.h5", bins, 2, NULL);
  ip_difference d = diff();

  assert_false(ip_difference_none(&d));
  assert_string_equal(d.status.text, "2");
  assert_int_equal(d.runs.length, 0);
  ip_difference_clear(&d);
}

/* The other file measures at more epochs, in another column first, and trains more replicates. */
static void fill_as_the_other(ip_record *record)
{
  const ip_plan *plan = record->plan;
  double *i_xt = record->array[IP_FIELD_i_xt];
  size_t i = 0;

  for (size_t c = 0; c < plan->n_columns; c++)
    for (size_t e = 0; e < plan->n_epochs; e++)
      for (size_t l = 0; l < plan->n_layers; l++, i++) {
        const bool common = strcmp(plan->column[c].name, "bin30") == 0 && plan->epoch[e] != 1;

        i_xt[i] = common ? 10.0 * plan->epoch[e] + (double)l + (double)record->run : 77.0;
        if (common && record->run == 1 && plan->n_columns > 1) i_xt[i] += 0.25;
      }
}

static void only_what_both_have_is_compared(void **state)
{
  (void)state;
  write_file("a.h5", bins, THREE, fill_as_the_other);
  write_file("b.h5",
             "estimate: [{kind: kde, noise_variance: 1e-2}, {kind: binning, bins: 30}]\n"
             "look: [0, 1]\nrepeat: 4\n",
             4, fill_as_the_other);
  ip_difference d = diff();

  assert_non_null(strstr(d.config.text, "estimate"));
  assert_string_equal(d.only[1].text, "3");
  assert_int_equal(d.only[0].length, 0);
  assert_int_equal(d.compared, THREE);
  assert_int_equal(d.field[IP_FIELD_i_xt].runs, 1);
  assert_int_equal(d.field[IP_FIELD_i_xt].run, 1);
  assert_string_equal(d.field[IP_FIELD_i_xt].where, "column bin30, epoch 0, layer 1");
  assert_true(d.field[IP_FIELD_i_xt].largest == 0.25);
  ip_difference_clear(&d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_differs_is_named),
      cmocka_unit_test(the_same_is_the_same),
      cmocka_unit_test(a_run_that_one_has_not_finished_differs),
      cmocka_unit_test(only_what_both_have_is_compared),
  };

  setenv("OMPI_MCA_io", "romio321", 0);
  PetscPushErrorHandler(ip_error_handler, NULL);
  if (PetscInitializeNoArguments()) return 1;
  const int result = cmocka_run_group_tests(tests, folder_enter, folder_leave);

  PetscFinalize();
  return result;
}
