@NullMarked
package io.hypercalld.core.hypercall;

import org.jspecify.annotations.NullMarked;
