/**
 * What debug keys print, in Xen's own layouts. Reads a machine and changes nothing.
 *
 * @see "xen/common/keyhandler.c"
 */
@NullMarked
package io.hypercalld.api.debug;

import org.jspecify.annotations.NullMarked;
