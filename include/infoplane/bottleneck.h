#pragma once

/** @file
 *  The information bottleneck: how much of Y the best representation T of X keeps, for every
 *  price of what it keeps of X; and which price explains a layer best.
 *
 *      minimize  I(X;T) - beta I(T;Y)   over p(t|x); its solutions satisfy
 *
 *      p(t|x) = p(t) exp(-beta D_KL[p(y|x) || p(y|t)]) / Z(x, beta)
 *      p(t)   = sum_x p(x) p(t|x)
 *      p(y|t) = sum_x p(y|x) p(t|x) p(x) / p(t)
 *
 *  (Tishby, Pereira and Bialek, arXiv:physics/0004057).  Their points (I(X;T), I(T;Y)) form a concave
 *  curve of slope 1/beta that no representation lies above.  With certain labels the curve is
 *  the line I(T;Y) = I(X;T) up to H(Y), slope 1 everywhere: a beta means nothing there.
 *
 *  Bits everywhere.  Serial; the SNES solver needs PetscInitialize.
 */

#include <infoplane/core.h>

/** A joint distribution of X and Y; a view, it owns nothing. */
typedef struct {
  size_t n;             /**< values of x, >= 1                                      */
  int32_t k;            /**< classes, >= 2                                          */
  const double *weight; /**< shape (n): p(x) > 0, adds to 1                         */
  const double *p;      /**< shape (n, k): p(y|x), rows add to 1; zeros are allowed */
} ip_joint;

/** I(X;Y), bits: where the curve ends. */
double ip_joint_information(const ip_joint *joint);

/* ---- the curve ------------------------------------------------------------------------------ */

/** Who finds the fixed point of the equations above. */
typedef enum {
  IP_BOTTLENECK_SNES, /**< PETSc's SNES, Anderson mixing                            */
  IP_BOTTLENECK_PLAIN /**< the plain iteration: slow near critical betas, the oracle */
} ip_bottleneck_solver;

/** One point of the curve: information of a p(t|x), so never above the true curve. */
typedef struct {
  double beta;
  double i_xt, i_ty;  /**< bits                                                              */
  double residual;    /**< largest change of p(t|x) by the last plain iteration              */
  double gap;         /**< bits by which I(X;T) - beta I(T;Y) may lie above the least of all */
                      /**< T at most, as far as the search for a missing cluster sees        */
  int64_t iterations; /**< evaluations of the right-hand side above                          */
  bool converged;     /**< residual <= 1e-10 and gap <= 1e-6 before 200000 evaluations       */
} ip_bound_point;

/** The grid of beta that files use: 1 + 10^(i/10 - 2.5), i = 0 .. 55: 1.003 to 1001; NaN past
 *  its end. */
double ip_bottleneck_beta(size_t i);

/** Points at n betas > 0, ascending; annealed downwards from T = X, and clusters that are missing
 *  added, so that no point stays on a branch that is not the best.  (0, 0) where T = constant is
 *  the best.  The last beta may be infinite: the end of the curve, T = p(y|x), (H(T), I(X;Y)).
 *  For up to some hundred values of x: group them first.  SNES reads PETSc's options
 *  -bottleneck_snes_...; its mixing goes through BLAS, so the last bits may differ between
 *  machines.
 *  IP_ERR_INTERNAL: no distribution, betas not ascending, no memory, PETSc not started (SNES).  A
 *  point that did not converge says so and is no error. */
PetscErrorCode ip_bottleneck_curve(const ip_joint *joint, ip_bottleneck_solver solver, size_t n,
                                   const double beta[], ip_bound_point point[]);

/** The smallest beta at which T = constant is unstable: 1 / the second largest eigenvalue of
 *  sum_y p(x'|y) p(y|x).  Infinite where X says nothing of Y.  T = constant may stop being the best
 *  a little below it, where a rare cluster far from p(y) pays (the curve finds that: 1.00498 where
 *  this is 1.00522, for the rule of the paper at gamma = 54.492). */
PetscErrorCode ip_bottleneck_critical(const ip_joint *joint, double *beta);

/** Distance to the curve along both axes, bits.  Negative: above the curve, by numerical error or
 *  since the estimate is no bound. */
typedef struct {
  double horizontal; /**< i_xt - the least I(X;T) that keeps i_ty; NaN where i_ty lies above
                          the last point                                               */
  double vertical;   /**< most I(T;Y) at i_xt - i_ty; NaN where i_xt lies beyond it    */
} ip_bound_distance;

/** Of (i_xt, i_ty) to a curve of n points (i_xt ascending; (0, 0) is added), by linear
 *  interpolation.  1e-9 bit beyond the last point count as on it; with the point of infinite beta
 *  as the last, i_ty lies above it only where it is more than I(X;Y). */
ip_bound_distance ip_bottleneck_distance(size_t n, const double curve_i_xt[],
                                         const double curve_i_ty[], double i_xt, double i_ty);

/* ---- a layer --------------------------------------------------------------------------------- */

enum { IP_BETA_LOWEST = 1, IP_BETA_HIGHEST = 1000 };
typedef enum { IP_EDGE_NONE, IP_EDGE_LOW, IP_EDGE_HIGH } ip_beta_edge;

/** The beta at which a layer is nearest to satisfying the equations. */
typedef struct {
  double best;       /**< argmin over [1, 1000] of mean_x D_KL[p(t|x) || p_beta(t|x)]    */
  double low, high;  /**< where the mean is within 0.01 bit of its minimum               */
  double misfit;     /**< the minimum, bits: large means that the layer is no IB solution */
  ip_beta_edge edge; /**< best lies on an edge of [1, 1000]                              */
} ip_best_beta;

/** p_beta from the layer's own p(t) and p(y|t), T a function of X given by cell[x] = 0 ..
 *  n_cells - 1 (each cell used).  The mean is convex in beta; where it is flat (T constant) the
 *  lowest beta is the best.  joint->n patterns, not grouped.
 *  Arithmetic of numerics alone: same bits on every machine.  IP_ERR_INTERNAL: a cell out of
 *  range or empty, no memory. */
PetscErrorCode ip_bottleneck_layer(const ip_joint *joint, size_t n_cells, const uint32_t cell[],
                                   ip_best_beta *beta);
