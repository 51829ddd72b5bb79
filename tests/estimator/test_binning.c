/* Binning: layers whose information is known, edges by hand, and the fast form against the slow. */

#include "layers.h"

/* Entropies of the rule, made independently of this program. */
static void hand_made(void **state)
{
  static const double range[2] = {-100, 100};
  const ip_column wide = binning_range(20000, range);
  made_layer x = layer_of_inputs(), one = layer_of_rule(1), two = layer_of_rule(2);

  (void)state;
  expect(&x, binning(30), 12, 0.999157121, 1e-6); /* T = X */
  for (int p = 0; p < PATTERNS; p++) {
    double k, length;

    rule_of(p, &k, &length);
    unit_of(&one, 0)[p] = unit_of(&two, 0)[p] = (float)k;
    unit_of(&two, 1)[p] = (float)length;
  }
  expect(&one, wide, 2.838528744, 0.627641239, 1e-6); /* T = k        */
  expect(&two, wide, 5.569522432, 0.999157121, 1e-6); /* T = (k, |S|) */
  for (int p = 0; p < PATTERNS; p++) unit_of(&one, 0)[p] = (float)one.y[p];
  expect(&one, binning(30), 0.999157121, 0.999157121, 1e-6); /* T = y */
  for (int p = 0; p < PATTERNS; p++) unit_of(&one, 0)[p] = (float)bit_of(p, 0);
  expect(&one, binning(30), 1, 0.033906, 1e-6); /* T = bit 0 */
  for (int p = 0; p < PATTERNS; p++) unit_of(&one, 0)[p] = 0.3F;

  const ip_information i = measured(&one, binning_word(30, "range", "snapshot"));

  assert_true(i.i_xt == 0 && i.i_ty == 0 && i.h_t == 0 && i.i_ty_bias == 0);
  layer_free(&x), layer_free(&one), layer_free(&two);
}

static void stochastic(double gamma, double i_xy, double tolerance)
{
  made_layer x = layer_of_inputs();

  layer_weigh_by_rule(&x, gamma);
  expect(&x, binning(30), 12, i_xy, tolerance);
  layer_free(&x);
}

static void stochastic_labels(void **state)
{
  (void)state;
  stochastic(54.492, 0.990000, 1e-6);
  stochastic(10, 0.8967, 5e-5);
  stochastic(100, 0.9985, 5e-5);
}

/* One neuron tanh(w X), X standard normal: exact cells by the normal distribution. */
static void neuron(double w, double bits)
{
  enum { SAMPLES = 100000 };
  made_layer layer = layer_new(SAMPLES, 1, 1);

  for (size_t s = 0; s < SAMPLES; s++) unit_of(&layer, 0)[s] = (float)tanh(w * normal(1, s));
  expect(&layer, binning(30), bits, 0, 0.01);
  layer_free(&layer);
}

static void one_neuron(void **state)
{
  (void)state;
  neuron(0.1, 2.6445);
  neuron(1, 4.8771);
  neuron(10, 2.0442);
  neuron(100, 1.1506);
}

/* Labels independent of T, 100 equally used cells: mean over 100 draws, and the column's bias. */
static void plugin_bias(void **state)
{
  enum { DRAWS = 100 };
  made_layer layer = layer_new(PATTERNS, 1, 2);
  double sum = 0, bias = 0;

  (void)state;
  for (int draw = 0; draw < DRAWS; draw++) {
    for (int i = 0; i < PATTERNS; i++) {
      unit_of(&layer, 0)[i] = (float)(i % 100);
      layer.y[i] = uniform((uint32_t)draw, (uint64_t)i) < 0.5;
    }
    const ip_information i = measured(&layer, binning_width(1));

    sum += i.i_ty;
    bias = (double)i.i_ty_bias;
  }
  NEAR(sum / DRAWS, 0.01743, 0.1 * 0.01743, "mean I(T;Y)");
  NEAR(bias, 99 / (2 * 4096 * log(2)), 1e-7, "i_ty_bias");
  layer_free(&layer);
}

static void plugin_bounds(void **state)
{
  (void)state;
  for (uint32_t r = 0; r < 20; r++) {
    made_layer layer = layer_random(PATTERNS, 1 + r % 7, 2, r);
    const ip_information i = measured(&layer, binning(30));
    double ones = 0;

    for (int s = 0; s < PATTERNS; s++) ones += layer.y[s];
    ones /= PATTERNS;

    const double h_y = -ones * log2(ones) - (1 - ones) * log2(1 - ones);

    assert_true(i.i_ty >= -1e-12 && i.i_ty <= fmin(i.i_xt, h_y) + 1e-12);
    assert_true(i.i_xt <= 12 + 1e-12);
    layer_free(&layer);
  }
}

static void nested_bins(void **state)
{
  static const int bins[5] = {3, 6, 30, 120, 1200};

  (void)state;
  for (uint32_t r = 0; r < 6; r++) {
    made_layer layer = layer_random(1000, 1 + r, 3, r);
    ip_information coarse = {0};

    for (int b = 0; b < 5; b++) {
      const ip_information fine = measured(&layer, binning(bins[b]));

      assert_true(fine.i_xt >= coarse.i_xt - 1e-12 && fine.i_ty >= coarse.i_ty - 1e-12);
      coarse = fine;
    }
    layer_free(&layer);
  }
}

/* All activations differ in their last bits: as many bins as floats tell them apart. */
static void full_precision(void **state)
{
  made_layer layer = layer_new(PATTERNS, 1, 1);

  (void)state;
  for (int i = 0; i < PATTERNS; i++) unit_of(&layer, 0)[i] = 0.5F + (float)i * 0x1p-23F;
  NEAR(measured(&layer, binning(16777216)).i_xt, 12, 1e-12, "2^24 bins");
  assert_true(measured(&layer, binning(30)).i_xt < 2);
  NEAR(measured(&layer, binning_width(1e-12)).i_xt, 12, 1e-12, "width 1e-12");
  layer_free(&layer);
}

static void invariance(void **state)
{
  enum { N = 1000, D = 5 };
  made_layer layer = layer_random(N, D, 2, 3), other = layer_new(N, D, 2);
  const ip_information want = measured(&layer, binning(30));

  (void)state;
  memcpy(other.y, layer.y, N * sizeof *other.y);
  for (size_t u = 0; u < D; u++)
    for (size_t i = 0; i < N; i++) /* permuted, and two of them turned over */
      unit_of(&other, (u + 2) % D)[i] = (u % 3 == 1 ? -1.0F : 1.0F) * unit_of(&layer, u)[i];
  same_information(measured(&other, binning(30)), want, 0, "neurons permuted and flipped");
  layer_free(&layer), layer_free(&other);
}

/* Values on, just below and just above every edge go where the definition puts them. */
static void edges(void **state)
{
  enum { BINS = 30 };
  made_layer layer = layer_new(3, 1, 1);
  float *t = unit_of(&layer, 0);

  (void)state;
  for (int i = 1; i < BINS; i++) {
    const double edge = -1 + i * 2.0 / BINS;

    t[1] = (float)edge;
    if ((double)t[1] < edge) t[1] = nextafterf(t[1], 2); /* the first float of cell i */
    t[0] = nextafterf(t[1], -2);
    t[2] = nextafterf(t[1], 2);
    expect(&layer, binning(BINS), log2(3) - 2.0 / 3, 0, 1e-12);
    t[0] = t[1];
    expect(&layer, binning(BINS), 0, 0, 0);
  }
  layer_free(&layer);
}

/* Whether a column puts two values into different cells. */
static bool apart(float a, float b, ip_column column)
{
  made_layer pair = layer_new(2, 1, 1);

  unit_of(&pair, 0)[0] = a, unit_of(&pair, 0)[1] = b;

  const double bits = measured(&pair, column).i_xt;

  layer_free(&pair);
  assert_true(bits == 0 || bits == 1);
  return bits == 1;
}

/* numpy.digitize(t, linspace(low, high, bins)) - 1, by hand for 5 edges of [-1, 1]. */
static void idnns_by_hand(void **state)
{
  static const float t[9] = {-1.0F, -0.75F, -0.5F, -0.25F, 0.0F, 0.25F, 0.75F, 0.9999F, 1.0F};
  static const int cell[9] = {0, 0, 1, 1, 2, 2, 3, 3, 4};
  const ip_column idnns = binning_word(5, "rule", "idnns");

  (void)state;
  for (int i = 0; i < 9; i++)
    for (int j = 0; j < 9; j++) assert_int_equal(apart(t[i], t[j], idnns), cell[i] != cell[j]);
  assert_false(apart(0.9999F, 1.0F, binning(5))); /* plain closes the last cell */
}

/* The last edge of idnns is the upper end itself, also where low + (high - low) rounds past it. */
static void idnns_upper_end(void **state)
{
  (void)state;
  for (int i = 1; i <= 200; i++) {
    const double range[2] = {-0.013 * i, 0.75};
    ip_column column = binning_range(30, range);

    give(&column, "rule", "idnns", (ip_value){0});
    assert_true(apart(0.75F, nextafterf(0.75F, 0), column));
    assert_false(apart(0.75F, 0.9F, column));
  }
}

static void ranges(void **state)
{
  static const double range[2] = {-0.5, 0.5};
  static const float t[8] = {-0.9F, -0.5F, -0.2F, 0.1F, 0.5F, 0.6F, 0.7F, 2.0F};
  made_layer layer = layer_new(8, 1, 1);
  ip_information i;

  (void)state;
  memcpy(layer.t, t, sizeof t);
  i = measured(&layer, binning_range(2, range));
  NEAR((double)i.clipped_fraction, 0.5, 0, "outside [-0.5, 0.5]: 4 of 8");
  NEAR(i.i_xt, -0.375 * log2(0.375) - 0.625 * log2(0.625), 1e-12, "3 below 0, 5 above");
  assert_true(i.bin_low == -0.5F && i.bin_high == 0.5F);

  i = measured(&layer, binning(2));
  NEAR((double)i.clipped_fraction, 0.125, 0, "outside [-1, 1]: 1 of 8");
  assert_true(i.bin_low == -1.0F && i.bin_high == 1.0F);

  i = measured(&layer, binning_word(2, "range", "snapshot")); /* edge at 0.55 */
  NEAR((double)i.clipped_fraction, 0, 0, "snapshot");
  assert_true(i.bin_low == -0.9F && i.bin_high == 2.0F);
  NEAR(i.i_xt, -0.375 * log2(0.375) - 0.625 * log2(0.625), 1e-12, "5 below 0.55, 3 above");

  layer.view.run_low = -2, layer.view.run_high = 2.5; /* edge at 0.25 */
  i = measured(&layer, binning_word(2, "range", "run"));
  NEAR(i.i_xt, 1, 1e-12, "4 below 0.25, 4 above");
  assert_true(i.bin_low == -2.0F && i.bin_high == 2.5F);

  i = measured(&layer, binning_width(1)); /* -1 -1 -1 | 0 0 0 0 | 2 */
  NEAR(i.i_xt, -0.375 * log2(0.375) + 0.5 + 0.375, 1e-12, "width 1");
  assert_true(isnan(i.clipped_fraction) && isnan(i.bin_low) && isnan(i.bin_high));
  layer_free(&layer);
}

static void ranges_refused(void **state)
{
  made_layer layer = layer_new(8, 1, 1);
  const ip_column run = binning_word(30, "range", "run"), plain = binning(30);
  const ip_column *const of_run[1] = {&run}, *const of_plain[1] = {&plain};
  ip_workspace *work = NULL;
  ip_information out;

  (void)state;
  OK(ip_workspace_create(&work));
  FAILS(ip_estimate(&layer.view, 1, of_run, work, &out), IP_ERR_INTERNAL, "over the run");
  layer.view.bounded = false;
  FAILS(ip_estimate(&layer.view, 1, of_plain, work, &out), IP_ERR_CONFIG, "no closed range");
  ip_workspace_destroy(&work);
  layer_free(&layer);
}

/* ---- the fast form against the slow ---- */

static void compare(made_layer *layer, ip_column column)
{
  char what[128];

  snprintf(what, sizeof what, "%s, n = %zu, d = %zu, k = %d%s", column.name, layer->view.n,
           layer->view.d, layer->view.k, layer->p ? ", p" : "");
  for (int isa = 0; isa < 3; isa++) {
    static const char *const name[3] = {"baseline", "avx2", "avx512"};

    setenv("INFOPLANE_ISA", name[isa], 1);
    same_information(measured(layer, column), by_reference(layer, column), 1e-12, what);
  }
  unsetenv("INFOPLANE_ISA");
}

static void all_columns(made_layer *layer)
{
  static const double narrow[2] = {-0.3, 0.2}, tiny[2] = {0.5, 0.5000001};
  ip_column idnns_snapshot = binning_word(7, "range", "snapshot");

  layer->view.run_low = -1.5, layer->view.run_high = 1.25;
  compare(layer, binning(30));
  compare(layer, binning(1));
  compare(layer, binning(257));
  compare(layer, binning_word(30, "rule", "idnns"));
  compare(layer, binning_word(11, "range", "snapshot"));
  compare(layer, binning_word(30, "range", "run"));
  compare(layer, binning_range(30, narrow));
  compare(layer, binning_range(30, tiny)); /* edges closer than floats */
  compare(layer, binning_width(0.07));
  compare(layer, binning_width(1e-9)); /* more cells than can be numbered */
  give(&idnns_snapshot, "rule", "idnns", (ip_value){0});
  compare(layer, idnns_snapshot);
}

static void against_reference(void **state)
{
  static const size_t d[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 64, 300};
  static const int32_t k[3] = {2, 3, 10};

  (void)state;
  for (size_t s = 0; s < sizeof d / sizeof d[0]; s++) {
    made_layer layer = layer_random(101 + 7 * s, d[s], k[s % 3], (uint32_t)s);

    /* values on edges, at the ends and zeros of both signs */
    for (size_t i = 0; i < 20; i++) unit_of(&layer, 0)[i] = (float)(-1 + (double)i * 2 / 30);
    for (size_t i = 20; i < 30; i++) unit_of(&layer, 0)[i] = i % 2 ? 1.0F : -1.0F;
    unit_of(&layer, 0)[30] = -0.0F, unit_of(&layer, 0)[31] = 0.0F;
    all_columns(&layer);
    layer_doubt(&layer);
    all_columns(&layer);
    layer_free(&layer);
  }
}

/* Large values that single precision cannot place: the exact edges decide. */
static void far_from_zero(void **state)
{
  made_layer layer = layer_new(500, 2, 2);

  (void)state;
  for (size_t i = 0; i < 500; i++)
    for (size_t u = 0; u < 2; u++) {
      unit_of(&layer, u)[i] = 1e6F + (float)(uniform(5, 2 * i + u) * 10);
      layer.y[i] = (int32_t)(i % 2);
    }
  compare(&layer, binning_word(30, "range", "snapshot"));
  for (size_t i = 0; i < 500; i++) unit_of(&layer, 0)[i] *= 1e32F;
  compare(&layer, binning_word(30, "range", "snapshot"));
  compare(&layer, binning(30));
  compare(&layer, binning_width(0.07));
  layer_free(&layer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hand_made),       cmocka_unit_test(stochastic_labels),
      cmocka_unit_test(one_neuron),      cmocka_unit_test(plugin_bias),
      cmocka_unit_test(plugin_bounds),   cmocka_unit_test(nested_bins),
      cmocka_unit_test(full_precision),  cmocka_unit_test(invariance),
      cmocka_unit_test(edges),           cmocka_unit_test(idnns_by_hand),
      cmocka_unit_test(idnns_upper_end), cmocka_unit_test(ranges),
      cmocka_unit_test(ranges_refused),  cmocka_unit_test(against_reference),
      cmocka_unit_test(far_from_zero),
  };

  return RUN_TESTS(tests);
}
