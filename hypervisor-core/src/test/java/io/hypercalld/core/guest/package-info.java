@NullMarked
package io.hypercalld.core.guest;

import org.jspecify.annotations.NullMarked;
