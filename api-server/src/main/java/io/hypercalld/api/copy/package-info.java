/** Copies of whole machines, for snapshots and trials. */
@NullMarked
package io.hypercalld.api.copy;

import org.jspecify.annotations.NullMarked;
