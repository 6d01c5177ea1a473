/** Tests of journals. */
@NullMarked
package io.hypercalld.api.journal;

import org.jspecify.annotations.NullMarked;
