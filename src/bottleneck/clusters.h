#pragma once

/** @file
 *  T as clusters at one beta: the equations, what is read from them, and PETSc's solver of them.
 */

#include <infoplane/bottleneck.h>

/** m clusters of the n x.  The state is p(t,y) alone: p(t) and p(y|t) follow from it. */
typedef struct {
  const ip_joint *joint;
  double beta;
  size_t m, room;      /**< clusters, and how many there may be                       */
  double *p_ty;        /**< shape (m, k): p(t,y)                                      */
  double *trial;       /**< shape (m, k): another state                               */
  double *best;        /**< shape (m, k): the best of several                         */
  double *next;        /**< shape (m, k): right-hand side of the equations            */
  double *q;           /**< shape (n, m): p(t|x) of the last evaluation               */
  double *log_z;       /**< shape (n): ln sum_t p(t) exp(beta sum_y p(y|x) ln p(y|t)) */
  double *log_t;       /**< shape (m): ln p(t)                                        */
  double *log_r;       /**< shape (m, k): ln p(y|t)                                   */
  double *cell;        /**< shape (m): p(t|x) of one x                                */
  double *share;       /**< shape (n): what each x gives to a cluster of no mass      */
  double *found;       /**< shape (k): p(y|t) of the one that grows most              */
  double *r, *log_ry;  /**< shape (k): p(y|t) of one on its way, and its ln           */
  double *from, *to;   /**< shape (k): the ends of its step                           */
  bool stale;          /**< q is not of the state before this one                     */
  int64_t evaluations; /**< of the right-hand side                                    */
} clusters;

/** T = X, one cluster for all x of (nearly) the same p(y|x).  IP_ERR_INTERNAL: no memory. */
PetscErrorCode ip_clusters_create(const ip_joint *joint, clusters **c);
void ip_clusters_destroy(clusters **c);

/** T = constant. */
void ip_clusters_unite(clusters *c);

/** One evaluation: next, q and log_z of the state p_ty (c->p_ty or c->trial).  Returns the largest
 *  change of p(t|x) since the evaluation before, infinite where that was of other clusters. */
double ip_clusters_evaluate(clusters *c, const double p_ty[]);

/** Plain iteration: an evaluation whose right-hand side becomes the state. */
double ip_clusters_iterate(clusters *c);

/** What the equations minimize, of the state last evaluated, nats: I(X;T) - beta I(T;Y) and terms
 *  that no T changes.  No iteration raises it. */
double ip_clusters_objective(const clusters *c);

/** Information of p(t|x) of the last iteration, bits. */
void ip_clusters_information(const clusters *c, double *i_xt, double *i_ty);

/** Drop clusters without mass, unite those whose joining costs about this many nats for each bit
 *  of mass. */
void ip_clusters_tidy(clusters *c, double nats);

/** ln of the factor by which one iteration enlarges the best cluster of no mass that is found,
 *  >= 0; ln 2 times the bits that may be missing. */
double ip_clusters_growth(clusters *c);

/** Let that cluster live, with the share of the mass that lowers the objective most; nothing
 *  where there is no room. */
void ip_clusters_add(clusters *c);

/** Fixed point by PETSc's SNES from the state on, kept where its objective is no larger.
 *  IP_ERR_INTERNAL: no memory; errors of PETSc. */
PetscErrorCode ip_clusters_accelerate(clusters *c);
