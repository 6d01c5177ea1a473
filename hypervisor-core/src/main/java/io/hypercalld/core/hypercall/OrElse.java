package io.hypercalld.core.hypercall;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What an argument is when the caller leaves it out, spelled as the caller would have. */
@Target(ElementType.RECORD_COMPONENT)
@Retention(RetentionPolicy.RUNTIME)
public @interface OrElse {
  /** The JSON text of the value. */
  String value();
}
