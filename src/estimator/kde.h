#pragma once

/* What the fast KDE and its slow reference share: the meaning of a column. */

#include "kernels.h"
#include <infoplane/estimator.h>

enum { IP_KDE_VARIANCE, IP_KDE_SCALE, IP_KDE_BOUND, IP_KDE_TOLERANCE };
enum { IP_SCALE_ABSOLUTE, IP_SCALE_LAYER };
enum { IP_BOUND_UPPER, IP_BOUND_LOWER };

/* Variance s of the noise of a column; layer_variance: mean over units of the population
   variance at this look. */
double ip_kde_noise_variance(const ip_column *column, double layer_variance);

/* Mean over the units of the population variance. */
double ip_kde_layer_variance(const ip_layer *layer);

/* Differential entropy of T + noise, bits: i_xt + d/2 log2(2 pi e s). */
double ip_kde_entropy(double i_xt, size_t d, double s);

PetscErrorCode ip_kde_reference(const ip_layer *layer, const ip_column *column,
                                ip_information *out);

/* As in ip_estimator: the fast KDE. */
PetscErrorCode ip_kde_measure(const ip_layer *layer, size_t n, const ip_column *const column[],
                              ip_workspace *work, ip_information out[]);
PetscErrorCode ip_kde_assist(const ip_layer *layer, size_t n, const ip_column *const column[],
                             ip_workspace *work);

/* ---- what is near what: kernels.h ---- */

/* Fills all of axes but row, and what row points to: room for ip_kde_row_floats.  d <= IP_KDE_ORDERED;
   scale: a power of two that brings the layer into [-1, 1]. */
void ip_kde_turn(const ip_layer *layer, double scale, ip_kde_axes *axes);

/* ---- samples on a line ---- */

enum { IP_KDE_LINE_UNITS = 64 };

/* Samples at u: shape (n), off their line by at most r; not found: off it by more. */
typedef struct {
  bool found;
  double *u, r, low, high;
} ip_kde_line;

/* u: room for n. */
void ip_kde_find_line(const ip_layer *layer, double r_most, double u[], ip_kde_line *line);

/* Operations of both bounds, infinite where there is no line; and their error, bits at most. */
double ip_kde_line_cost(const ip_layer *layer, const ip_kde_line *line, double s);
double ip_kde_line_error(const ip_layer *layer, const ip_kde_line *line, double s);

/* sum_j exp(-(u_i - u_j)^2 / w^2) over the samples of each class, weighed with p(y|x) where given;
   sum: shape (n, k).  Errors: no memory. */
PetscErrorCode ip_kde_line_sums(const ip_layer *layer, const ip_kde_line *line, double w,
                                ip_workspace *work, size_t slot, double sum[]);
