/** Tests of the sets of ranges. */
@org.jspecify.annotations.NullMarked
package io.hypercalld.core.ranges;
