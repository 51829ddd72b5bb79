#pragma once

/** @file
 *  Layers made by hand and by chance, and columns, for the tests of the estimators.
 */

#include "check.h"
#include <infoplane/estimator.h>
#include <infoplane/rng.h>
#include <stdlib.h>

/** A layer that owns its arrays. */
typedef struct {
  ip_layer view;
  float *t;
  int32_t *y;
  double *p;
} made_layer;

static inline made_layer layer_new(size_t n, size_t d, int32_t k)
{
  const size_t stride = (n + 15) / 16 * 16;
  made_layer layer = {0};

  OK(IP_ALLOCATE(d * stride, &layer.t));
  OK(IP_ALLOCATE(n, &layer.y));
  layer.view = (ip_layer){.n = n,
                          .d = d,
                          .stride = stride,
                          .k = k,
                          .t = layer.t,
                          .y = layer.y,
                          .bounded = true,
                          .run_low = NAN,
                          .run_high = NAN};
  return layer;
}

/** Room for p(y|x), from now on what the layer uses. */
static inline void layer_weigh(made_layer *layer)
{
  OK(IP_ALLOCATE(layer->view.n * (size_t)layer->view.k, &layer->p));
  layer->view.p = layer->p;
}

/** p(y|x): the label with three quarters, the rest shared by all. */
static inline void layer_doubt(made_layer *layer)
{
  const double share = 0.25 / layer->view.k;

  layer_weigh(layer);
  for (size_t i = 0; i < layer->view.n; i++)
    for (int32_t y = 0; y < layer->view.k; y++)
      layer->p[i * (size_t)layer->view.k + (size_t)y] = layer->y[i] == y ? 0.75 + share : share;
}

static inline void layer_free(made_layer *layer)
{
  ip_release(&layer->t);
  ip_release(&layer->y);
  ip_release(&layer->p);
}

static inline float *unit_of(made_layer *layer, size_t unit)
{
  return layer->t + unit * layer->view.stride;
}

static inline double uniform(uint32_t replicate, uint64_t counter)
{
  const ip_stream stream = {.seed = 1, .replicate = replicate, .purpose = IP_PURPOSE_TEST};

  return ip_stream_uniform(&stream, counter);
}

/** Standard normal by Box and Muller. */
static inline double normal(uint32_t replicate, uint64_t counter)
{
  const double two_pi = 6.283185307179586;

  return sqrt(-2 * log(uniform(replicate, 2 * counter))) *
         cos(two_pi * uniform(replicate, 2 * counter + 1));
}

/** Units tanh(w . z) of a few common normal factors z, labels from the first factor. */
static inline made_layer layer_random(size_t n, size_t d, int32_t k, uint32_t replicate)
{
  enum { FACTORS = 4 };
  made_layer layer = layer_new(n, d, k);

  for (size_t i = 0; i < n; i++) {
    double z[FACTORS];

    for (size_t f = 0; f < FACTORS; f++) z[f] = normal(replicate, i * FACTORS + f);
    layer.y[i] = (int32_t)fmin((double)k - 1, floor((double)k * 0.5 * (1 + tanh(z[0]))));
    for (size_t u = 0; u < d; u++) {
      double sum = 0;

      for (size_t f = 0; f < FACTORS; f++)
        sum += 0.5 * normal(replicate + 1000, u * FACTORS + f) * z[f];
      unit_of(&layer, u)[i] = (float)tanh(sum);
    }
  }
  return layer;
}

/* ---- the rule of arXiv:1703.00810 ---- */

enum { PATTERNS = 4096, BITS = 12 };

/** Bit j of pattern x; bit 0 is the highest. */
static inline int bit_of(int x, int j)
{
  return x >> (BITS - 1 - j) & 1;
}

/** k = set bits and |S|, S = sum of the vertices of the icosahedron of the set bits. */
static inline void rule_of(int x, double *k, double *length)
{
  static const int upper[5] = {1, 3, 10, 5, 11}, lower[5] = {2, 8, 7, 6, 4};
  const double r = 2 / sqrt(5.0), h = 1 / sqrt(5.0), degree = 6.283185307179586 / 360;
  double s[3] = {0, 0, bit_of(x, 0) - bit_of(x, 9)};

  *k = bit_of(x, 0) + bit_of(x, 9);
  for (int j = 0; j < 5; j++) {
    const double u = bit_of(x, upper[j]), l = bit_of(x, lower[j]);

    s[0] += r * (u * cos(72 * j * degree) + l * cos((72 * j + 36) * degree));
    s[1] += r * (u * sin(72 * j * degree) + l * sin((72 * j + 36) * degree));
    s[2] += h * (u - l);
    *k += u + l;
  }
  *length = sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
}

/** A layer of d units over all patterns with the labels of the rule. */
static inline made_layer layer_of_rule(size_t d)
{
  made_layer layer = layer_new(PATTERNS, d, 2);

  for (int x = 0; x < PATTERNS; x++) {
    double k, length;

    rule_of(x, &k, &length);
    layer.y[x] = k + length > 7.632;
  }
  return layer;
}

/** T = X. */
static inline made_layer layer_of_inputs(void)
{
  made_layer layer = layer_of_rule(BITS);

  for (int x = 0; x < PATTERNS; x++)
    for (int j = 0; j < BITS; j++) unit_of(&layer, (size_t)j)[x] = (float)bit_of(x, j);
  return layer;
}

/** p(y=1|x) = 1 / (1 + exp(-gamma (f - 7.63204))). */
static inline void layer_weigh_by_rule(made_layer *layer, double gamma)
{
  layer_weigh(layer);
  for (int x = 0; x < PATTERNS; x++) {
    double k, length;

    rule_of(x, &k, &length);
    layer->p[(size_t)x * 2 + 1] = 1 / (1 + exp(-gamma * (k + length - 7.63204)));
    layer->p[(size_t)x * 2] = 1 / (1 + exp(gamma * (k + length - 7.63204)));
  }
}

/* ---- columns ---- */

static inline const ip_estimator *estimator(const char *name)
{
  const int row = ip_names_find(ip_estimator_name, name);

  assert_true(row >= 0);
  return ip_estimator_row((size_t)row);
}

/** Set parameter `key` of a column to what `set` holds; its word is looked up where given. */
static inline void give(ip_column *column, const char *key, const char *word, ip_value set)
{
  const ip_parameter *row = column->estimator->parameter;
  size_t i = 0;

  while (row[i].key && strcmp(row[i].key, key) != 0) i++;
  assert_non_null(row[i].key);
  set.word = word ? ip_names_find(row[i].choice, word) : -1;
  if (word) assert_true(set.word >= 0);
  column->value[i] = set;
  column->given[i] = true;
}

static inline ip_column binning(int64_t bins)
{
  ip_column column;

  OK(ip_column_default(estimator("binning"), &column));
  give(&column, "bins", NULL, (ip_value){.integer = bins});
  OK(ip_column_set_name(&column));
  return column;
}

static inline ip_column binning_range(int64_t bins, const double range[2])
{
  ip_column column = binning(bins);

  give(&column, "range", NULL, (ip_value){.n = 2, .list = range});
  OK(ip_column_set_name(&column));
  return column;
}

static inline ip_column binning_word(int64_t bins, const char *key, const char *word)
{
  ip_column column = binning(bins);

  give(&column, key, word, (ip_value){0});
  OK(ip_column_set_name(&column));
  return column;
}

static inline ip_column binning_width(double width)
{
  ip_column column;

  OK(ip_column_default(estimator("binning"), &column));
  give(&column, "width", NULL, (ip_value){.real = width});
  OK(ip_column_set_name(&column));
  return column;
}

static inline ip_column kde(const char *bound, double variance, const char *scale)
{
  ip_column column;

  OK(ip_column_default(estimator("kde"), &column));
  give(&column, "bound", bound, (ip_value){0});
  give(&column, "noise_variance", NULL, (ip_value){.real = variance});
  if (scale) give(&column, "noise_scale", scale, (ip_value){0});
  OK(ip_column_set_name(&column));
  return column;
}

/** One column measured. */
static inline ip_information measured(const made_layer *layer, ip_column column)
{
  const ip_column *const list[1] = {&column};
  ip_workspace *work = NULL;
  ip_information out = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};

  OK(ip_workspace_create(&work));
  OK(ip_estimate(&layer->view, 1, list, work, &out));
  ip_workspace_destroy(&work);
  assert_null(work);
  return out;
}

static inline ip_information by_reference(const made_layer *layer, ip_column column)
{
  ip_information out = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};

  OK(ip_estimate_reference(&layer->view, &column, &out));
  return out;
}

static inline void same_number(double have, double want, double tolerance, const char *what,
                               int member)
{
  assert_int_equal(isnan(have), isnan(want));
  if (!isnan(want)) NEAR(have, want, tolerance, "%s, member %d", what, member);
}

/** I(X;T) and I(T;Y) of one column. */
static inline void expect(const made_layer *layer, ip_column column, double i_xt, double i_ty,
                          double tolerance)
{
  const ip_information i = measured(layer, column);

  NEAR(i.i_xt, i_xt, tolerance, "%s: I(X;T)", column.name);
  NEAR(i.i_ty, i_ty, tolerance, "%s: I(T;Y)", column.name);
}

/** Equal to within a tolerance, NaN equal to NaN. */
static inline void same_information(ip_information a, ip_information b, double tolerance,
                                    const char *what)
{
  const double have[7] = {a.i_xt,
                          a.i_ty,
                          a.h_t,
                          (double)a.i_ty_bias,
                          (double)a.clipped_fraction,
                          (double)a.bin_low,
                          (double)a.bin_high},
               want[7] = {b.i_xt,
                          b.i_ty,
                          b.h_t,
                          (double)b.i_ty_bias,
                          (double)b.clipped_fraction,
                          (double)b.bin_low,
                          (double)b.bin_high};

  for (int i = 0; i < 7; i++) same_number(have[i], want[i], i < 3 ? tolerance : 1e-7, what, i);
}
