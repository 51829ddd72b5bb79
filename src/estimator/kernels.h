#pragma once

/* The loops of the estimators that are compiled once for each vector width: bare mathematics,
   chosen at run time. */

#include <infoplane/numerics.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- binning ---- */

/* Cells of a unit in single precision: cell = floor(scale t + offset), cut off to 0 .. cells-1;
   closer than `unsure` to an edge single precision cannot tell. */
typedef struct {
  float scale, offset, unsure;
  int32_t cells;
} ip_grid;

typedef struct {
  /* Smallest and largest of t, shape (n). */
  void (*extremes)(size_t n, const float t[], float *low, float *high);
  /* How many of t lie outside [low, high]. */
  size_t (*outside)(size_t n, const float t[], float low, float high);
  /* Cell of each t, -1 where unsure; true if there is a -1. Works on whole vectors of 16. */
  bool (*digitize)(size_t n, const float t[], const ip_grid *grid, int32_t cell[]);
  /* cell = floor(t / width) - first, in double; it must be within 0 .. 2^24. */
  void (*divide)(size_t n, const float t[], const double width_first[2], int32_t cell[]);
  /* word = word << bits | cell. */
  void (*pack)(size_t n, const int32_t cell[], int bits, uint32_t word[]);
  /* Stir a word into the hash of each sample. */
  void (*stir)(size_t n, const uint32_t word[], uint32_t hash[]);
} ip_binning_kernels;

/* ---- kde ---- */

enum {
  IP_KDE_BLOCK = 256, /* samples on a side of a block of pairs                */
  IP_KDE_STRIP = 4,   /* rows of a block that are treated together            */
  IP_KDE_NOISES = 8   /* noise variances of one pass                          */
};

/* Boxes around samples that stand together, along m axes: leaves of 16 (a vector of columns) and
   strips of 4 (rows that are treated together).  16 leaves can be read from the last one on. */
typedef struct {
  size_t m, leaves;        /* leaves: stride                                     */
  const float *low, *high; /* shape (m, leaves): smallest and largest coordinate */
  const float *strip;      /* shape (strips, 2, m): smallest, then largest       */
} ip_kde_boxes;

/* A block of pairs (row, column). Rows and columns begin at multiples of 16; what stands past their
   ends, up to the next multiple, is read too and must be far away from all samples. A block on the
   diagonal (row == column) takes each pair once.

   Its sums are an array of its own: for each noise variance, for c = 8 and c = 2, of the kernel
   itself and then weighed by each class, along the rows and along the columns: shape (n_noise,
   2, 1 + k, 2, IP_KDE_BLOCK).  What lies past rows and columns may hold anything. */
typedef struct {
  size_t d, stride;
  const float *t; /* shape (d, stride)                                        */
  size_t row, rows, column, columns;
  size_t n_noise;
  float steepness[IP_KDE_NOISES]; /* log2 e / (8 s)                                     */
  float rest[IP_KDE_NOISES];      /* what rounding cut off the steepness                */
  double *second;                 /* room for half as many numbers as sum holds         */
  const ip_kde_boxes *boxes;      /* NULL: all pairs                                    */
  float near[IP_KDE_NOISES];      /* from this squared distance on pairs may be left out */
  float any_near;                 /* largest of near                                    */
  float widest;                   /* no squared distance of samples is above it         */
  size_t k;                       /* classes that weigh, 0 for none                     */
  const float *weight;            /* shape (k, stride), or NULL                         */
  float *distance;                /* room for (IP_KDE_BLOCK, IP_KDE_BLOCK)              */
  float *sum;                     /* 64-byte aligned                                    */
} ip_kde_block;

/* Floats of the sums of a block. */
static inline size_t ip_kde_sums(size_t n_noise, size_t k)
{
  return n_noise * 2 * (1 + k) * 2 * IP_KDE_BLOCK;
}

typedef struct {
  void (*sum_block)(const ip_kde_block *block);
} ip_kde_kernels;

/* ---- what is near what ---- */

enum { IP_KDE_ORDERED = 32 }; /* units, at most, of a layer that is turned into its axes */

/* Samples along the principal axes of a layer, of largest variance first. */
typedef struct {
  size_t n, m, width; /* m axes; width: of a row                                    */
  float *row;         /* shape (n, width), zeros past m; times the scale            */
  float error;        /* of a coordinate, and of the distance to a row by all axes  */
} ip_kde_axes;

/* Floats of a row of m axes: 4, 8, 16 or 32. */
static inline size_t ip_kde_width(size_t m)
{
  size_t width = 4;

  while (width < m) width *= 2;
  return width;
}

/* Floats of n rows; a vector may be read from the last one on. */
static inline size_t ip_kde_row_floats(size_t n, size_t m)
{
  return n * ip_kde_width(m) + 16;
}

typedef struct {
  /* Fills the rows of axes, m of them, from samples t: shape (m, stride), by v: shape (m,
     IP_KDE_ORDERED), whose columns are the axes. */
  void (*turn)(const float t[], size_t stride, const float v[], const ip_kde_axes *axes);
  /* Order m samples so that neighbors stand together: the axis of widest range is cut at its median,
     again and again, at multiples of a block, then of a leaf, then of a strip.  key: shape (m), the
     low halves name samples, and come out in order; room: for m + 8 keys. */
  void (*order)(const ip_kde_axes *axes, size_t m, uint64_t key[], uint64_t room[]);
} ip_kde_order_kernels;

/* ---- kde of samples on a line ---- */

enum {
  IP_KDE_NODES = 12, /* of a cell                                           */
  IP_KDE_REACH = 12  /* cells up and down on which those of a cell still act */
};

/* Chebyshev's nodes in [-1, 1], cos((2 k + 1) pi / 24). */
static inline double ip_kde_node(size_t k)
{
  static const double cosine[IP_KDE_NODES / 2] = {0.99144486137381041, 0.92387953251128676,
                                                  0.79335334029123517, 0.60876142900872063,
                                                  0.38268343236508977, 0.13052619222005159};

  return k < IP_KDE_NODES / 2 ? cosine[k] : -cosine[IP_KDE_NODES - 1 - k];
}

/* Samples at u, in cells of h from low on. */
typedef struct {
  size_t n, k, cells;
  double low, h;
  const double *u;      /* shape (n): within the cells                                 */
  const int32_t *y;     /* shape (n); not read where p is given                        */
  const double *p;      /* shape (n, k): weights, or NULL                              */
  const double *kernel; /* of nodes l of a cell and k of the one o above: shape (o, l, k) */
  double *charge, *potential; /* room, shape (k, cells, nodes)                               */
  bool *filled;               /* room, shape (k, cells)                                      */
  double *sum;                /* shape (n, k): of kernels with the samples of each class     */
} ip_kde_line_task;

typedef struct {
  void (*sum_line)(const ip_kde_line_task *task);
} ip_kde_line_kernels;

/* ---- the kernels of this machine ---- */

/* BEST_OF(ip_kde_kernels) declares those of every width, and ip_kde_kernels_best(). */
#ifdef IP_ONLY_BASELINE
#define BEST_OF(kernels)                                                                       \
  extern const kernels kernels##_baseline;                                                     \
  static inline const kernels *kernels##_best(void)                                            \
  {                                                                                            \
    return &kernels##_baseline;                                                                \
  }
#else
#define BEST_OF(kernels)                                                                       \
  extern const kernels kernels##_baseline, kernels##_avx2, kernels##_avx512;                   \
  static inline const kernels *kernels##_best(void)                                            \
  {                                                                                            \
    const ip_isa isa = ip_isa_best();                                                          \
                                                                                               \
    if (isa == IP_ISA_AVX512) return &kernels##_avx512;                                        \
    return isa == IP_ISA_AVX2 ? &kernels##_avx2 : &kernels##_baseline;                         \
  }
#endif

BEST_OF(ip_binning_kernels)
BEST_OF(ip_kde_kernels)
BEST_OF(ip_kde_order_kernels)
BEST_OF(ip_kde_line_kernels)
#undef BEST_OF
