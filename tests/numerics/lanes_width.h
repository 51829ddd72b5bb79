#pragma once

/* What of lanes.h is tested, compiled once for each vector width as kernels are.  Arrays are 64-byte
   aligned and have 16 numbers where nothing else is said. */
typedef struct {
  void (*exp)(const float x[], float e[]);
  float (*sum)(const float x[]);
  void (*sums)(const float x[], float sum[]); /* x: shape (16, 16) */
  void (*entries)(const float table[], const int index[], float entry[]);
  void (*smaller)(const float a[], const float b[], float c[]);
  void (*larger)(const float a[], const float b[], float c[]);
  void (*where_from)(const float x[], const float y[], float c[]); /* x >= y ? 1 : 2 */
} lanes_width;

extern const lanes_width lanes_width_baseline, lanes_width_avx2, lanes_width_avx512;
