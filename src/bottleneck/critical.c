/* Where T = constant stops being the best: 1 / lambda, lambda the largest eigenvalue of

     M(y,y') = sum_x p(x) (p(y|x) - p(y)) (p(y'|x) - p(y')) / sqrt(p(y) p(y')),

   which has the eigenvalues of sum_y p(x'|y) p(y|x) but for the trivial 1 (of the constant, that
   p(y) takes away) and zeros.  Power iteration by squaring: M, M^2, M^4 ..., each divided by its
   trace, tend to the projection on the leading space, however near the next eigenvalue lies.

   Source: Tishby, Pereira and Bialek, arXiv:physics/0004057; Witsenhausen, SIAM J. Appl. Math. 28
   (1975) 100 (lambda: square of the maximal correlation). */

#include "joint.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <string.h>

static const double nothing = 1e-26; /* lambda of rows that differ by rounding alone */

enum { SQUARINGS = 64 };

/* p(y). */
static void marginal(const ip_joint *joint, double p_y[])
{
  const size_t k = (size_t)joint->k;

  memset(p_y, 0, k * sizeof *p_y);
  for (size_t x = 0; x < joint->n; x++)
    for (size_t y = 0; y < k; y++) p_y[y] += joint->weight[x] * joint->p[x * k + y];
}

/* M, shape (k, k); v: room, shape (k). */
static void correlate(const ip_joint *joint, const double p_y[], double v[], double m[])
{
  const size_t k = (size_t)joint->k;

  memset(m, 0, k * k * sizeof *m);
  for (size_t x = 0; x < joint->n; x++) {
    for (size_t y = 0; y < k; y++)
      v[y] = p_y[y] > 0.0 ? (joint->p[x * k + y] - p_y[y]) / sqrt(p_y[y]) : 0.0;
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < k; j++) m[i * k + j] += joint->weight[x] * v[i] * v[j];
  }
}

static double trace_of(size_t k, const double a[])
{
  double sum = 0.0;

  for (size_t i = 0; i < k; i++) sum += a[i * k + i];
  return sum;
}

/* c = a b, shapes (k, k). */
static void multiply(size_t k, const double a[], const double b[], double c[])
{
  memset(c, 0, k * k * sizeof *c);
  for (size_t i = 0; i < k; i++)
    for (size_t l = 0; l < k; l++)
      for (size_t j = 0; j < k; j++) c[i * k + j] += a[i * k + l] * b[l * k + j];
}

/* Largest eigenvalue of M: trace(M P) of the projection P, trace P = 1. */
static double largest(size_t k, const double m[], double p[], double square[])
{
  double trace = trace_of(k, m);

  if (!(trace > nothing)) return 0.0;
  for (size_t i = 0; i < k * k; i++) p[i] = m[i] / trace;
  for (int s = 0; s < SQUARINGS; s++) {
    multiply(k, p, p, square);
    trace = trace_of(k, square);
    for (size_t i = 0; i < k * k; i++) p[i] = square[i] / trace;
  }
  multiply(k, m, p, square);
  return trace_of(k, square);
}

PetscErrorCode ip_bottleneck_critical(const ip_joint *joint, double *beta)
{
  double *room = NULL;
  size_t k, length;

  PetscCall(ip_joint_check(joint));
  k = (size_t)joint->k;
  IP_CHECK(!__builtin_mul_overflow(3 * k + 2, k, &length), IP_ERR_INTERNAL, "%zu classes", k);
  PetscCall(IP_ALLOCATE(length, &room));

  double *p_y = room, *v = p_y + k, *m = v + k, *p = m + k * k, *square = p + k * k;

  marginal(joint, p_y);
  correlate(joint, p_y, v, m);

  const double lambda = largest(k, m, p, square);

  *beta = lambda > nothing ? 1.0 / lambda : (double)INFINITY;
  ip_release(&room);
  return PETSC_SUCCESS;
}
