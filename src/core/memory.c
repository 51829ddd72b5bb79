/* Memory that is zeroed, aligned to a cache line, and never half there; text that grows. */

#include <infoplane/core.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

PetscErrorCode ip_allocate_bytes(size_t count, size_t size, void *pointer)
{
  void *room = NULL;
  size_t bytes;

  if (count > 0) {
    IP_CHECK(!__builtin_mul_overflow(count, size, &bytes) &&
                 bytes <= PTRDIFF_MAX - IP_ALIGNMENT,
             IP_ERR_INTERNAL, "no memory for %zu elements of %zu bytes", count, size);
    bytes = (bytes + IP_ALIGNMENT - 1) / IP_ALIGNMENT * IP_ALIGNMENT;
    room = aligned_alloc(IP_ALIGNMENT, bytes);
    IP_CHECK(room != NULL, IP_ERR_INTERNAL, "no memory left for %zu bytes", bytes);
    memset(room, 0, bytes);
  }
  memcpy(pointer, &room, sizeof room);
  return PETSC_SUCCESS;
}

void ip_release(void *pointer)
{
  void *room, *const none = NULL;

  memcpy(&room, pointer, sizeof room);
  free(room);
  memcpy(pointer, &none, sizeof none);
}

void ip_memory_trim(void)
{
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

PetscErrorCode ip_text_copy(const char *text, char **copy)
{
  const size_t length = strlen(text) + 1;
  char *room;

  PetscCall(IP_ALLOCATE(length, &room));
  memcpy(room, text, length);
  *copy = room;
  return PETSC_SUCCESS;
}

/* Room for at least `more` characters and the NUL. */
static PetscErrorCode text_reserve(ip_text *text, size_t more)
{
  if (text->length + more + 1 > text->room) {
    const size_t room = 2 * text->room + more + 64;
    char *larger;

    PetscCall(IP_ALLOCATE(room, &larger));
    if (text->text) memcpy(larger, text->text, text->length);
    free(text->text);
    text->text = larger;
    text->room = room;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_text_add(ip_text *text, const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  const int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  IP_CHECK(length >= 0, IP_ERR_INTERNAL, "a text cannot be formatted: \"%s\"", format);
  PetscCall(text_reserve(text, (size_t)length));

  va_start(arguments, format);
  vsnprintf(text->text + text->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
  return PETSC_SUCCESS;
}

void ip_text_clear(ip_text *text)
{
  free(text->text);
  *text = (ip_text){0};
}
