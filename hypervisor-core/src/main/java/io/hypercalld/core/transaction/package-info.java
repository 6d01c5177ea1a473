/** All steps of an operation or none. Depends on nothing. */
@NullMarked
package io.hypercalld.core.transaction;

import org.jspecify.annotations.NullMarked;
