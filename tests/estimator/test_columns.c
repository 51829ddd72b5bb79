/* Columns: their names, as input files and results spell them, and which are refused. */

#include "layers.h"

static void named(ip_column column, const char *name)
{
  assert_string_equal(column.name, name);
}

static void names_of_binning(void **state)
{
  static const double two[2] = {-2, 2}, half[2] = {-0.5, 1.25};
  ip_column c = binning(30);

  (void)state;
  named(c, "bin30");
  c.on = IP_ON_TRAIN;
  OK(ip_column_set_name(&c));
  named(c, "bin30_train");
  named(binning_word(30, "rule", "idnns"), "bin30_idnns");
  named(binning_word(30, "range", "run"), "bin30_run");
  named(binning_word(100, "range", "snapshot"), "bin100_snapshot");
  named(binning_range(30, two), "bin30_-2_2");
  named(binning_range(8, half), "bin8_-0.5_1.25");
  named(binning_width(0.07), "bin_w0.07");
  c = binning_range(30, two);
  give(&c, "rule", "idnns", (ip_value){0});
  c.on = IP_ON_TEST;
  OK(ip_column_set_name(&c));
  named(c, "bin30_idnns_-2_2_test");
}

static void names_of_kde(void **state)
{
  ip_column c;

  (void)state;
  named(kde("upper", 1e-3, NULL), "kde_upper_0.001");
  named(kde("lower", 1e-3, NULL), "kde_lower_0.001");
  named(kde("upper", 1e-3, "layer"), "kde_upper_0.001_layer");
  named(kde("upper", 1e-12, "absolute"), "kde_upper_1e-12");
  OK(ip_column_default(estimator("kde"), &c));
  OK(ip_column_set_name(&c));
  named(c, "kde_upper_0.001"); /* the first of [upper, lower] */
}

static void defaults(void **state)
{
  ip_column c;

  (void)state;
  OK(ip_column_default(estimator("binning"), &c));
  assert_int_equal(c.value[0].integer, 30);
  for (size_t i = 0; i < IP_MAX_PARAMETERS; i++) assert_false(c.given[i]);
  OK(ip_column_set_name(&c));
  named(c, "bin30");
}

static void too_long(void **state)
{
  static const double range[2] = {-0.12345678901234567, 0.12345678901234567};
  ip_column c = binning(30);

  (void)state;
  give(&c, "bins", NULL, (ip_value){.integer = 16777216});
  give(&c, "rule", "idnns", (ip_value){0});
  give(&c, "range", NULL, (ip_value){.n = 2, .list = range});
  c.on = IP_ON_TRAIN;
  FAILS(ip_column_set_name(&c), IP_ERR_CONFIG, "longer than 63");
  assert_string_equal(c.name, "bin30");
}

static PetscErrorCode check(ip_column c, const char *unbounded)
{
  return c.estimator->check_column(&c, unbounded);
}

static void refused(void **state)
{
  static const double empty[2] = {1, 1}, good[2] = {-2, 2};
  ip_column both = binning_width(0.07);

  (void)state;
  OK(check(binning(30), NULL));
  FAILS(check(binning(30), "relu"), IP_ERR_CONFIG, "relu");
  FAILS(check(binning(30), "relu"), IP_ERR_CONFIG, "snapshot, run or [low, high]");
  FAILS(check(binning(30), "relu"), IP_ERR_CONFIG, "fixed width");
  OK(check(binning_word(30, "range", "snapshot"), "relu"));
  OK(check(binning_word(30, "range", "run"), "relu"));
  OK(check(binning_range(30, good), "relu"));
  OK(check(binning_width(0.07), "relu"));
  FAILS(check(binning_range(30, empty), NULL), IP_ERR_CONFIG, "[1, 1] is empty");
  FAILS(check(binning_word(1, "rule", "idnns"), NULL), IP_ERR_CONFIG, "at least 2 bins");
  OK(check(binning_word(2, "rule", "idnns"), NULL));
  give(&both, "bins", NULL, (ip_value){.integer = 30});
  FAILS(check(both, NULL), IP_ERR_CONFIG, "bins and width exclude each other");
  both = binning_width(0.07);
  give(&both, "range", "run", (ip_value){0});
  FAILS(check(both, NULL), IP_ERR_CONFIG, "range and width exclude each other");
  both = binning_width(0.07);
  give(&both, "rule", "plain", (ip_value){0});
  FAILS(check(both, NULL), IP_ERR_CONFIG, "rule and width exclude each other");
  OK(check(kde("upper", 1e-3, NULL), "relu"));
}

static void who_needs_the_run(void **state)
{
  const ip_column run = binning_word(30, "range", "run"), plain = binning(30),
                  width = binning_width(0.07), noise = kde("upper", 1e-3, NULL);

  (void)state;
  assert_true(run.estimator->needs_run_range(&run));
  assert_false(plain.estimator->needs_run_range(&plain));
  assert_false(width.estimator->needs_run_range(&width));
  assert_false(noise.estimator->needs_run_range(&noise));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_of_binning), cmocka_unit_test(names_of_kde),
      cmocka_unit_test(defaults),         cmocka_unit_test(too_long),
      cmocka_unit_test(refused),          cmocka_unit_test(who_needs_the_run),
  };

  return RUN_TESTS(tests);
}
