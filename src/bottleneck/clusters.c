/* T as clusters: the equations of the bottleneck at one beta.

   With exponents e_t(x) = ln p(t) + beta sum_y p(y|x) ln p(y|t) (the entropy of p(y|x) cancels),

     p(t|x) = exp(e_t(x)) / sum_t exp(e_t(x)),     p(t,y) = sum_x p(x) p(t|x) p(y|x),

   the largest exponent subtracted first, so that nothing overflows and one term is 1.  Each
   step minimizes over p(t|x), p(t) or p(y|t) alone, so -sum_x p(x) ln Z(x) never rises.

   Source: Tishby, Pereira and Bialek, arXiv:physics/0004057. */

#include "clusters.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <string.h>

static const double least_mass = 1e-14; /* a cluster below it is dropped */

enum { SPARE = 16 }; /* clusters that may be added */

/* ---- create ---- */

/* T = X, then united: only so many p(t|x) are kept. */
static PetscErrorCode allocate(clusters *c, size_t n, size_t k)
{
  size_t n_q;

  PetscCall(IP_ALLOCATE((n + SPARE) * k, &c->p_ty));
  c->m = n;
  for (size_t x = 0; x < n; x++)
    for (size_t y = 0; y < k; y++)
      c->p_ty[x * k + y] = c->joint->weight[x] * c->joint->p[x * k + y];
  ip_clusters_tidy(c, 1e-10);
  c->room = c->m + SPARE;
  IP_CHECK(!__builtin_mul_overflow(n, c->room, &n_q), IP_ERR_INTERNAL,
           "%zu clusters of %zu values of x", c->room, n);
  PetscCall(IP_ALLOCATE(c->room * k, &c->trial));
  PetscCall(IP_ALLOCATE(c->room * k, &c->best));
  PetscCall(IP_ALLOCATE(c->room * k, &c->next));
  PetscCall(IP_ALLOCATE(n_q, &c->q));
  PetscCall(IP_ALLOCATE(n, &c->log_z));
  PetscCall(IP_ALLOCATE(c->room, &c->log_t));
  PetscCall(IP_ALLOCATE(c->room * k, &c->log_r));
  PetscCall(IP_ALLOCATE(c->room, &c->cell));
  PetscCall(IP_ALLOCATE(n, &c->share));
  PetscCall(IP_ALLOCATE(k, &c->found));
  PetscCall(IP_ALLOCATE(k, &c->r));
  PetscCall(IP_ALLOCATE(k, &c->log_ry));
  PetscCall(IP_ALLOCATE(k, &c->from));
  return IP_ALLOCATE(k, &c->to);
}

PetscErrorCode ip_clusters_create(const ip_joint *joint, clusters **c)
{
  clusters *made;

  PetscCall(IP_ALLOCATE(1, &made));
  *made = (clusters){.joint = joint};

  const PetscErrorCode code = allocate(made, joint->n, (size_t)joint->k);

  if (code) ip_clusters_destroy(&made);
  PetscCall(code);
  *c = made;
  return PETSC_SUCCESS;
}

void ip_clusters_destroy(clusters **c)
{
  if (!*c) return;
  ip_release(&(*c)->p_ty);
  ip_release(&(*c)->trial);
  ip_release(&(*c)->best);
  ip_release(&(*c)->next);
  ip_release(&(*c)->q);
  ip_release(&(*c)->log_z);
  ip_release(&(*c)->log_t);
  ip_release(&(*c)->log_r);
  ip_release(&(*c)->cell);
  ip_release(&(*c)->share);
  ip_release(&(*c)->found);
  ip_release(&(*c)->r);
  ip_release(&(*c)->log_ry);
  ip_release(&(*c)->from);
  ip_release(&(*c)->to);
  ip_release(c);
}

/* ---- which clusters there are ---- */

static bool same_direction(size_t k, double near, const double a[], const double b[])
{
  const double of_a = ip_sum(k, a), of_b = ip_sum(k, b);

  for (size_t y = 0; y < k; y++)
    if (fabs(sqrt(a[y] / of_a) - sqrt(b[y] / of_b)) > near) return false;
  return true;
}

void ip_clusters_tidy(clusters *c, double nats)
{
  const size_t k = (size_t)c->joint->k;
  const double near = sqrt(nats / fmax(c->beta, 1.0));
  size_t kept = 0;

  for (size_t t = 0; t < c->m; t++) {
    const double *from = c->p_ty + t * k;
    size_t s = 0;

    if (ip_sum(k, from) < least_mass) continue;
    while (s < kept && !same_direction(k, near, c->p_ty + s * k, from)) s++;
    for (size_t y = 0; y < k; y++)
      c->p_ty[s * k + y] = s < kept ? c->p_ty[s * k + y] + from[y] : from[y];
    if (s == kept) kept++;
  }
  if (kept < c->m) c->stale = true;
  c->m = kept;
}

void ip_clusters_unite(clusters *c)
{
  const size_t k = (size_t)c->joint->k;

  for (size_t t = 1; t < c->m; t++)
    for (size_t y = 0; y < k; y++) c->p_ty[y] += c->p_ty[t * k + y];
  c->m = 1;
  c->stale = true;
}

/* ---- the equations ---- */

/* sum_y p(y|x) ln p(y|t), where 0 ln 0 = 0. */
static double likelihood(size_t k, const double p[], const double log_r[])
{
  double sum = 0.0;

  for (size_t y = 0; y < k; y++)
    if (p[y] > 0.0) sum += p[y] * log_r[y];
  return sum;
}

/* ln p(t) and ln p(y|t); what the state sums to does not matter. */
static void take_logarithms(clusters *c, const double p_ty[])
{
  const size_t k = (size_t)c->joint->k;

  for (size_t t = 0; t < c->m; t++) {
    const double mass = ip_sum(k, p_ty + t * k);

    c->log_t[t] = ip_log(mass);
    for (size_t y = 0; y < k; y++)
      c->log_r[t * k + y] = mass > 0.0 ? ip_log(p_ty[t * k + y] / mass) : 0.0;
  }
}

/* p(t|x) of one x; ln Z(x).  An x that no cluster allows goes to all: only a state that is no
   solution of the equations has such. */
static double share_out(clusters *c, size_t x)
{
  const size_t k = (size_t)c->joint->k, m = c->m;
  const double *p = c->joint->p + x * k;
  double most = -INFINITY, sum;

  for (size_t t = 0; t < m; t++) {
    c->cell[t] = c->log_t[t] + c->beta * likelihood(k, p, c->log_r + t * k);
    most = fmax(most, c->cell[t]);
  }
  for (size_t t = 0; t < m; t++) c->cell[t] = isfinite(most) ? ip_exp(c->cell[t] - most) : 1.0;
  sum = ip_sum(m, c->cell);
  for (size_t t = 0; t < m; t++) c->cell[t] /= sum;
  return most + ip_log(sum);
}

double ip_clusters_evaluate(clusters *c, const double p_ty[])
{
  const size_t k = (size_t)c->joint->k, m = c->m;
  double change = c->stale ? (double)INFINITY : 0.0;

  take_logarithms(c, p_ty);
  memset(c->next, 0, m * k * sizeof *c->next);
  for (size_t x = 0; x < c->joint->n; x++) {
    const double *p = c->joint->p + x * k;
    double *q = c->q + x * m;

    c->log_z[x] = share_out(c, x);
    for (size_t t = 0; t < m; t++) {
      const double mass = c->joint->weight[x] * c->cell[t];

      for (size_t y = 0; y < k; y++) c->next[t * k + y] += mass * p[y];
      change = fmax(change, fabs(c->cell[t] - q[t]));
      q[t] = c->cell[t];
    }
  }
  c->stale = false;
  c->evaluations++;
  return change;
}

double ip_clusters_iterate(clusters *c)
{
  const double change = ip_clusters_evaluate(c, c->p_ty);

  memcpy(c->p_ty, c->next, c->m * (size_t)c->joint->k * sizeof *c->p_ty);
  return change;
}

/* ---- what is read from them ---- */

double ip_clusters_objective(const clusters *c)
{
  double sum = 0.0;

  for (size_t x = 0; x < c->joint->n; x++) sum -= c->joint->weight[x] * c->log_z[x];
  return sum;
}

/* a log2(a / b), 0 at a = 0. */
static double relative(double a, double b)
{
  return a > 0.0 ? a * ip_log2(a / b) : 0.0;
}

void ip_clusters_information(const clusters *c, double *i_xt, double *i_ty)
{
  const size_t k = (size_t)c->joint->k, n = c->joint->n, m = c->m;
  double of_x = 0.0, of_y = 0.0;

  for (size_t t = 0; t < m; t++) {
    const double mass = ip_sum(k, c->p_ty + t * k);

    for (size_t x = 0; x < n; x++)
      of_x += c->joint->weight[x] * relative(c->q[x * m + t], mass);
  }
  for (size_t y = 0; y < k; y++) {
    double whole = 0.0;

    for (size_t t = 0; t < m; t++) whole += c->p_ty[t * k + y];
    for (size_t t = 0; t < m; t++) {
      const double *of_t = c->p_ty + t * k;

      of_y += relative(of_t[y], whole * ip_sum(k, of_t));
    }
  }
  *i_xt = fmax(of_x, 0.0);
  *i_ty = fmax(of_y, 0.0);
}
