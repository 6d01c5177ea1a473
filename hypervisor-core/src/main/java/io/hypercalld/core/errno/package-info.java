/**
 * Xen's error numbers, and the exception that carries one from where the reason is known to the one
 * place that turns it into an answer. Depends on nothing. Source: xen/include/public/errno.h.
 */
@NullMarked
package io.hypercalld.core.errno;

import org.jspecify.annotations.NullMarked;
