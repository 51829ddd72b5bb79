#pragma once

/* Kernel sums over the pairs of samples of a layer.  Private to the KDE. */

#include "kde.h"

/* Rooms of the workspace. */
enum {
  IP_KDE_SLOT_PLACE,
  IP_KDE_SLOT_T,
  IP_KDE_SLOT_NOISE,
  IP_KDE_SLOT_SUM,
  IP_KDE_SLOT_DISTANCE,
  IP_KDE_SLOT_WEIGHT,
  IP_KDE_SLOT_WEIGHED,
  IP_KDE_SLOT_SLAB,
  IP_KDE_SLOT_BLOCK,
  IP_KDE_SLOT_BLOCK_COST,
  IP_KDE_SLOT_BLOCK_SUM,
  IP_KDE_SLOT_ROWS,
  IP_KDE_SLOT_KEYS,
  IP_KDE_SLOT_BOXES,
  IP_KDE_SLOT_NEAR,
  IP_KDE_SLOT_LINE,
  IP_KDE_SLOT_SECOND,
  IP_KDE_SLOT_COLUMN
};

/* How the sums of a noise are made: of all pairs in order of the samples, of what is near, or along
   a line. */
typedef enum { IP_KDE_ALL_PAIRS, IP_KDE_NEAR_PAIRS, IP_KDE_LINE, IP_KDE_KINDS } ip_kde_kind;

/* A noise variance, and how much of the pairs may be left out. */
typedef struct {
  double variance, tolerance;
  float near;      /* from this squared distance on pairs may be left out */
  double left_out; /* error for that, bits, at most                       */
} ip_kde_noise;

/* Samples of one group that make a side of blocks. */
typedef struct {
  size_t begin, size, group;
} ip_kde_slab;

/* A layer, the noises of one kind, and what is known of their sums. */
typedef struct {
  /* given */
  const ip_layer *layer;
  ip_workspace *work;
  ip_kde_kind kind;
  const ip_kde_line *line; /* where the samples are, if on a line            */
  size_t n_noise;          /* distinct noises                                */
  ip_kde_noise *noise;     /* shape (n_noise)                                */

  /* samples in order of their groups: classes, or one group where p is given */
  size_t groups;
  size_t *begin; /* shape (groups): first place, a multiple of 16       */
  size_t *size;  /* shape (groups): samples                             */
  size_t *place; /* shape (n): where a sample stands                    */
  size_t slabs;
  ip_kde_slab *slab; /* shape (slabs)                                       */
  size_t stride;
  float *t;         /* shape (d, stride): scale times the layer's          */
  double scale;     /* a power of two                                      */
  float widest;     /* no squared distance is above it                     */
  ip_kde_axes axes; /* of near pairs                                       */
  ip_kde_boxes boxes;

  /* sums */
  double *sum;     /* shape (n_noise, 2 bounds, own or other, stride)     */
  float *distance; /* room of the kernel                                  */
  float *weight;   /* shape (k, stride): p(y|x), where given              */
  double *weighed; /* shape (n_noise, 2 bounds, k, stride)                */
} ip_kde_pairs;

/* Fills all of p that is not given.  The whole crew of the workspace calls it.  Errors: no memory. */
PetscErrorCode ip_kde_sum(ip_kde_pairs *p);

/* Sums of noise q, shape (stride); bound: 0 from below, 1 from above; own: over the samples of the
   same group, else over those of the others. */
double *ip_kde_sums_of(const ip_kde_pairs *p, size_t q, size_t bound, bool own);

/* Weighed with each class: shape (k, stride). */
double *ip_kde_weighed_of(const ip_kde_pairs *p, size_t q, size_t bound);

/* log2 e / (8 s) of noise q, for samples times the scale. */
double ip_kde_steepness(const ip_kde_pairs *p, size_t q);

/* ---- what may be left out: kde_limits.c ---- */

/* How a noise variance s is measured best. */
ip_kde_kind ip_kde_kind_of(const ip_layer *layer, const ip_kde_line *line, double s,
                           double tolerance);

/* Of near pairs: `near` and `left_out` of every noise, and the boxes. */
PetscErrorCode ip_kde_find_limits(ip_kde_pairs *p);

/* Error of any noise through single precision, bits, at most. */
double ip_kde_arithmetic_error(const ip_layer *layer);
