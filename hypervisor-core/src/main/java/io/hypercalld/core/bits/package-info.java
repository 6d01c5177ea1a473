/**
 * Words and the fields in them: the one place where a shift or a mask is spelled.
 *
 * <p>Every hardware and ABI word of hypercalld is declared as a {@link
 * io.hypercalld.core.bits.WordLayout} of {@link io.hypercalld.core.bits.BitField}s that name each
 * of its 64 bits exactly once; reserved masks are derived from that declaration. Depends on
 * nothing.
 */
@NullMarked
package io.hypercalld.core.bits;

import org.jspecify.annotations.NullMarked;
