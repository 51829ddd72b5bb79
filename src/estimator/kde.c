/* Bounds from pairwise distances.

   Give every activation t_i Gaussian noise of variance s, so that T has a density.  For a set S
   of m samples let

     M(S) = -1/m sum_i log2( 1/m sum_j exp(-|t_i - t_j|^2 / (c s)) ),    i, j in S.

   Then M(all) bounds I(X;T): from above with c = 2, from below with c = 8, and I(T;Y) is
   estimated by M(all) - sum_y p(y) M(samples of class y): a difference of two bounds, hence
   itself no bound.  With p(y|x): M_y = -sum_i w_i log2 sum_j w_j exp(-D_ij / (c s)), w_i =
   p(y|x_i) / sum_j p(y|x_j), and p(y) = 1/n sum_i p(y|x_i).

   Here is what a user may set.  kde_measure.c makes information of kernel sums, kde_pairs.c adds them
   up, or kde_line.c where the samples are on a line; kde_limits.c says which pairs may be left out.

   Source: Kolchinsky and Tracey, Entropy 19 (2017) 361; used for the information plane by Saxe
   et al., J. Stat. Mech. (2019) 124020. */

#include "kde.h"

static const char *scale_name(size_t i)
{
  static const char *const name[] = {"absolute", "layer"};

  return i < 2 ? name[i] : NULL;
}

static const char *bound_name(size_t i)
{
  static const char *const name[] = {"upper", "lower"};

  return i < 2 ? name[i] : NULL;
}

static const ip_parameter parameter[] = {
    {
     .key = "noise_variance",
     .type = IP_REAL,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .low = 1e-12,
     .high = 1e12,
     .initial = "1e-3",
     .coordinate = "column_noise_variance",
     .sentence = "variance of the Gaussian noise added to T",
     .reference = "Saxe et al., J. Stat. Mech. (2019) 124020: 1e-3 and 0.1",
     },
    {
     .key = "noise_scale",
     .type = IP_CHOICE,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .choice = scale_name,
     .initial = "absolute",
     .coordinate = "column_noise_scale",
     .sentence = "layer: the noise variance is in units of the mean over the units of the "
                    "population variance of the layer at this look", .reference = NULL,
     },
    {
     .key = "bound",
     .type = IP_CHOICE,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .choice = bound_name,
     .initial = "[upper, lower]",
     .coordinate = "column_bound",
     .sentence = "bound of I(X;T) from above (c = 2) or from below (c = 8)",
     .reference = "Kolchinsky and Tracey, Entropy 19 (2017) 361",
     },
    {
     .key = "kde_tolerance",
     .type = IP_REAL,
     .scope = IP_SCOPE_MEASURE,
     .unit = "bit",
     .low = 0.0,
     .high = 1.0,
     .initial = "1e-6",
     .coordinate = "column_kde_tolerance",
     .sentence =
            "error allowed for speed; 0: all pairs, and what is below the error of single "
            "precision means all pairs too", .reference = NULL,
     },
    {.key = NULL},
};

static PetscErrorCode name_column(const ip_column *column, ip_text *name)
{
  const ip_value *value = column->value;
  char variance[32];

  ip_real_format(value[IP_KDE_VARIANCE].real, variance);
  return ip_text_add(name, "kde_%s_%s%s", bound_name((size_t)value[IP_KDE_BOUND].word),
                     variance, value[IP_KDE_SCALE].word == IP_SCALE_LAYER ? "_layer" : "");
}

/* All combinations are possible. */
static PetscErrorCode check_column(const ip_column *column, const char *unbounded)
{
  (void)column, (void)unbounded;
  return PETSC_SUCCESS;
}

static bool needs_run_range(const ip_column *column)
{
  (void)column;
  return false;
}

/* Both bounds of one noise variance cost one. */
static double cost(size_t n, size_t d, size_t n_columns)
{
  const double noises = n_columns > 1 ? (double)n_columns / 2.0 : 1.0;

  return (double)n * (double)n * ((double)d + 8.0) / 2.0 * noises;
}

/* ---- the noise ---- */

double ip_kde_noise_variance(const ip_column *column, double layer_variance)
{
  const ip_value *value = column->value;

  return value[IP_KDE_VARIANCE].real *
         (value[IP_KDE_SCALE].word == IP_SCALE_LAYER ? layer_variance : 1.0);
}

double ip_kde_layer_variance(const ip_layer *layer)
{
  const double n = (double)layer->n;
  double sum = 0.0;

  for (size_t u = 0; u < layer->d; u++) {
    const float *t = layer->t + u * layer->stride;
    double mean = 0.0, squares = 0.0;

    /* About the first value: a constant unit has variance 0 exactly. */
    for (size_t i = 0; i < layer->n; i++) mean += (double)t[i] - (double)t[0];
    mean /= n;
    for (size_t i = 0; i < layer->n; i++) {
      const double gap = (double)t[i] - (double)t[0] - mean;

      squares += gap * gap;
    }
    sum += squares / n;
  }
  return sum / (double)layer->d;
}

double ip_kde_entropy(double i_xt, size_t d, double s)
{
  const double two_pi_e = 17.079468445347134;

  return i_xt + (double)d / 2.0 * ip_log2(two_pi_e * s);
}

const ip_estimator ip_estimator_kde = {
    .name = "kde",
    .sentence = "bounds from pairwise distances, for T with Gaussian noise",
    .reference = "Kolchinsky and Tracey, Entropy 19 (2017) 361",
    .parameter = parameter,
    .name_column = name_column,
    .check_column = check_column,
    .needs_run_range = needs_run_range,
    .measure = ip_kde_measure,
    .measure_reference = ip_kde_reference,
    .assist = ip_kde_assist,
    .cost = cost,
};
