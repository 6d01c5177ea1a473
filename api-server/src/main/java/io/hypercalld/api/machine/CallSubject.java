package io.hypercalld.api.machine;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.iommu.pci.Sbdf;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Optional;
import java.util.stream.Stream;

/** The domain and the device that a hypercall names, as far as it does. Immutable. */
record CallSubject(Optional<DomainId> domain, Optional<Sbdf> device) {
  static CallSubject of(Hypercall arguments) {
    return new CallSubject(first(arguments, DomainId.class), first(arguments, Sbdf.class));
  }

  private static <T> Optional<T> first(Hypercall arguments, Class<T> type) {
    return Stream.of(arguments.getClass().getRecordComponents())
        .filter(component -> component.getType() == type)
        .map(RecordComponent::getAccessor)
        .findFirst()
        .map(accessor -> type.cast(call(accessor, arguments)));
  }

  private static Object call(Method accessor, Hypercall arguments) {
    try {
      accessor.setAccessible(true);
      return accessor.invoke(arguments);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(accessor.toString(), e);
    }
  }
}
