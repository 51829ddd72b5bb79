#pragma once

/** @file
 *  Points of a block's grid: one value for every key that names a run. Private to the study.
 */

#include <infoplane/study.h>

/** Walks the grid of one block, the last key of the table fastest.
 *
 *      grid g;
 *      for (grid_begin(&g, block, keys); !g.end; grid_next(&g)) use(g.value);
 */
typedef struct {
  const ip_block *block;
  bool axis[IP_KEYS];             /**< keys that are walked              */
  size_t at[IP_KEYS];             /**< index of the value of each        */
  const ip_value *value[IP_KEYS]; /**< NULL: not given, or of no meaning */
  bool end;
} grid;

/** Walk all keys that name a run, or only those of the data set. */
typedef enum { GRID_RUNS, GRID_DATA } grid_keys;

void grid_begin(grid *g, const ip_block *block, grid_keys keys);
void grid_next(grid *g);

/** What the values say of the data set; shuffled labels have the data set of certain ones. */
ip_dataset_spec grid_dataset(const ip_value *const value[]);

/** Index of the data set of these values, -1 if it is not listed. */
int32_t data_find(const ip_data *data, const ip_value *const value[]);
