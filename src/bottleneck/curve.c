/* The curve: one fixed point after the other, from the largest beta down.

   The representation at one beta is the start of the next below.  It is solved by bursts of the
   plain iteration with SNES between them (or none), so that the last change is always one of the
   plain iteration; then a cluster that is missing is sought, added, and all is done again.  That
   makes the answer the best one, and no branch that was the best further up.

   Below the critical beta T = constant is a local best and would be a trap: each point there
   starts from it and the cluster that it lacks.  Where it lacks none it is the best, and stays so
   for every smaller beta; up to beta = 1 always, since I(T;Y) <= I(X;T). */

#include "clusters.h"
#include "joint.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <petscsys.h>
#include <string.h>

#define LN2 0x1.62e42fefa39efp-1

static const double least_change = 1e-10, /* of p(t|x): converged                          */
    least_gap = 1e-6,                     /* bits: the best                                */
    may_grow = 1e-9,                      /* ln of a growth that asks for no cluster       */
    must_grow = 1e-6,                     /* ln of one that does, before all has converged */
    joining = 0.5,                        /* of may_grow: clusters so near are one         */
    indulgent = 500.0;                    /* factor of may_grow after many bursts          */

enum {
  BURST = 20,   /* plain iterations at first                       */
  PATIENCE = 4, /* bursts before a cluster may be what is missing  */
  MANY = 32,    /* bursts before clusters may be too much alike    */
  MOST_ADDED = 40,
  MOST_EVALUATIONS = 200000
};

double ip_bottleneck_beta(size_t i)
{
  static const double digits[10] = {1.0,
                                    1.2589254117941672104,
                                    1.5848931924611134852,
                                    1.9952623149688796014,
                                    2.5118864315095801111,
                                    3.1622776601683793320,
                                    3.9810717055349725077,
                                    5.0118723362727228500,
                                    6.3095734448019324943,
                                    7.9432823472428150207},
                      power[] = {1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3};
  const size_t tenths = i + 5; /* of the power of ten, from 1e-3 on */

  if (i > 55) return (double)NAN;
  return 1.0 + digits[tenths % 10] * power[tenths / 10];
}

/* ---- one point ---- */

/* Plain iterations until nothing changes, as many as `most`; two at least, to see a change. */
static double burst(clusters *c, int64_t most)
{
  double change = INFINITY;

  for (int64_t i = 0; (i < 2 || i < most) && change > least_change; i++)
    change = ip_clusters_iterate(c);
  return change;
}

/* Bursts with SNES between them, until nothing changes and no cluster is missing.  Where that
   takes long, it is mostly since one is missing; and else since two are nearly one. */
static PetscErrorCode solve(clusters *c, ip_bottleneck_solver solver, ip_bound_point *point)
{
  const int64_t begin = c->evaluations, limit = begin + MOST_EVALUATIONS;
  int64_t most = BURST;
  double change, growth;

  c->beta = point->beta;
  c->stale = true;
  for (int turn = 1, added = 0;; turn++) {
    const double may = turn < MANY ? may_grow : indulgent * may_grow;

    ip_clusters_tidy(c, joining * may);
    change = burst(c, most < limit - c->evaluations ? most : limit - c->evaluations);

    const bool settled = change <= least_change, over = c->evaluations >= limit;

    growth = settled || over || turn % PATIENCE == 0 ? ip_clusters_growth(c) : 0.0;
    if (over || (settled && (growth <= may || added == MOST_ADDED))) break;
    if (growth > (settled ? may : must_grow) && added < MOST_ADDED) {
      ip_clusters_add(c);
      added++;
    } else if (solver == IP_BOTTLENECK_SNES)
      PetscCall(ip_clusters_accelerate(c));
    else
      most *= 2;
  }
  ip_clusters_information(c, &point->i_xt, &point->i_ty);
  point->residual = change;
  point->gap = growth / LN2;
  point->iterations = c->evaluations - begin;
  point->converged = point->residual <= least_change;
  return PETSC_SUCCESS;
}

/* T = constant is the best; else the missing cluster is added to it. */
static bool is_trivial(clusters *constant, double beta)
{
  constant->beta = beta;
  ip_clusters_unite(constant);
  ip_clusters_iterate(constant);
  if (ip_clusters_growth(constant) <= may_grow) return true;
  ip_clusters_add(constant);
  return false;
}

/* beta is infinite: T = p(y|x) as a value. */
static PetscErrorCode end_of_curve(const ip_joint *joint, ip_bound_point *point)
{
  uint32_t *id = NULL;
  double *mass = NULL;
  size_t different = 0;
  PetscErrorCode code = IP_ALLOCATE(joint->n, &id);

  if (!code) code = ip_rows_number(joint->n, (size_t)joint->k, joint->p, id, &different);
  if (!code) code = IP_ALLOCATE(different, &mass);
  if (!code) {
    for (size_t x = 0; x < joint->n; x++) mass[id[x]] += joint->weight[x];
    point->i_xt = ip_entropy_weights(different, mass);
    point->i_ty = ip_joint_information(joint);
    point->converged = true;
  }
  ip_release(&mass);
  ip_release(&id);
  return code;
}

/* ---- all points ---- */

/* What stays the same over the points. */
typedef struct {
  const ip_joint *joint;
  ip_bottleneck_solver solver;
  double critical;
  clusters *t, *constant;
} anneal;

static PetscErrorCode walk(const anneal *a, size_t n, ip_bound_point point[])
{
  bool trivial = false;

  for (size_t i = n; i-- > 0;) {
    if (isinf(point[i].beta)) {
      PetscCall(end_of_curve(a->joint, &point[i]));
      continue;
    }

    const bool below = point[i].beta <= a->critical;

    trivial =
        trivial || point[i].beta <= 1.0 || (below && is_trivial(a->constant, point[i].beta));
    if (trivial)
      point[i].converged = true;
    else
      PetscCall(solve(below ? a->constant : a->t, a->solver, &point[i]));
  }
  return PETSC_SUCCESS;
}

/* A point that another beats at its own beta is not the best: its gap says by how much. */
static void compare(size_t n, ip_bound_point point[])
{
  for (size_t i = 0; i < n; i++) {
    if (isinf(point[i].beta)) continue;
    for (size_t j = 0; j < n; j++)
      point[i].gap = fmax(point[i].gap, point[i].i_xt - point[j].i_xt +
                                            point[i].beta * (point[j].i_ty - point[i].i_ty));
    point[i].converged = point[i].converged && point[i].gap <= least_gap;
  }
}

static PetscErrorCode trace(const ip_joint *joint, ip_bottleneck_solver solver, size_t n,
                            ip_bound_point point[])
{
  anneal a = {.joint = joint, .solver = solver};
  PetscErrorCode code = ip_bottleneck_critical(joint, &a.critical);

  if (!code) code = ip_clusters_create(joint, &a.t);
  if (!code) code = ip_clusters_create(joint, &a.constant);
  if (!code) code = walk(&a, n, point);
  if (!code) compare(n, point);
  ip_clusters_destroy(&a.constant);
  ip_clusters_destroy(&a.t);
  return code;
}

static PetscErrorCode check(ip_bottleneck_solver solver, size_t n, const double beta[])
{
  PetscBool started = PETSC_FALSE;

  for (size_t i = 0; i < n; i++)
    IP_CHECK(beta[i] > 0.0 && (i == 0 || beta[i - 1] < beta[i]), IP_ERR_INTERNAL,
             "beta %zu is %g after %g; ascending numbers above 0 are meant", i, beta[i],
             i > 0 ? beta[i - 1] : 0.0);
  IP_CHECK(solver == IP_BOTTLENECK_SNES || solver == IP_BOTTLENECK_PLAIN, IP_ERR_INTERNAL,
           "there is no solver %d of the bottleneck", (int)solver);
  if (solver == IP_BOTTLENECK_SNES) PetscCall(PetscInitialized(&started));
  IP_CHECK(solver != IP_BOTTLENECK_SNES || started, IP_ERR_INTERNAL,
           "the bottleneck by SNES needs PETSc, which has not been started");
  return PETSC_SUCCESS;
}

PetscErrorCode ip_bottleneck_curve(const ip_joint *joint, ip_bottleneck_solver solver, size_t n,
                                   const double beta[], ip_bound_point point[])
{
  ip_bound_point *made;

  PetscCall(ip_joint_check(joint));
  PetscCall(check(solver, n, beta));
  PetscCall(IP_ALLOCATE(n, &made));
  for (size_t i = 0; i < n; i++) made[i].beta = beta[i];

  const PetscErrorCode code = trace(joint, solver, n, made);

  if (!code) memcpy(point, made, n * sizeof *made);
  ip_release(&made);
  return code;
}
