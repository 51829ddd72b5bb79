#pragma once

/** @file
 *  What a results file shows: the paper's figures, tables of its studies, and its claims judged.
 *
 *  Made from the file alone, serially, also while a job writes it; runs that are not finished are
 *  left out and counted.
 */

#include <infoplane/core.h>
#include <stdio.h>

/** Draw every figure that the file has the axes for into a folder (made if it does not exist):
 *  PDF, PNG and SVG, with the gnuplot script and the data beside each, and an animation (GIF).
 *  columns: estimator columns to draw, "all" or names with commas between; NULL: bin30 (or the
 *  first of kind binning) and the first of kind kde; an unknown one is IP_ERR_USAGE.
 *  What is missing for a figure is said in words on `say`.  gnuplot must be on the PATH.
 *  IP_ERR_NO_INPUT, IP_ERR_DATA: the file; IP_ERR_CREATE, IP_ERR_IO: the folder;
 *  IP_ERR_ENVIRONMENT: no gnuplot, or it failed (with its own words). */
PetscErrorCode ip_view_figures(const char *path, const char *folder, const char *columns,
                               FILE *say);

/** Tables of the studies (too little data, depth, transition epochs, weights) and the judgement of
 *  the claims, printed on `say` and written as CSV into the folder.  Errors as above. */
PetscErrorCode ip_view_claims(const char *path, const char *folder, FILE *say);

/** One HTML page that shows the file and needs no network: the plane of information played over the epochs,
 *  loss, gradients and weights beside it, and the claims.  Written beside its place and renamed; a page
 *  of ours is replaced, anything else is not (IP_ERR_CREATE).  A page above 10 MB keeps fewer looks, then
 *  fewer runs of a setting, and says so on `say` and on itself.  Errors of the file as above. */
PetscErrorCode ip_view_report(const char *path, const char *page, FILE *say);

/** ip_names of the figures, then of the tables; one may be both. */
const char *ip_view_topic(size_t i);
const char *ip_view_sentence(size_t i); /**< what it shows; NULL past the end */

/** What a figure or table of this name shows, IP_TEXT_WIDTH wide.  IP_ERR_USAGE: there is none. */
PetscErrorCode ip_view_help(const char *topic, ip_text *text);
