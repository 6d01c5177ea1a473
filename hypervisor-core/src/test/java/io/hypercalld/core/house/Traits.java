package io.hypercalld.core.house;

import static com.tngtech.archunit.base.DescribedPredicate.describe;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import io.hypercalld.core.hypercall.Hypercall;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;

/** What the rules ask of a class, a field, a method or a call. Immutable. */
final class Traits {
  private static final Set<String> BARE_NUMBERS = Set.of("int", "long");
  private static final Set<String> MAKERS = Set.of(JavaConstructor.CONSTRUCTOR_NAME, "of");

  /** Calls whose answer the state and the command do not decide. */
  private static final Set<String> CLOCK_AND_CHANCE =
      Set.of(
          "java.lang.Math.random",
          "java.lang.Object.notify",
          "java.lang.Object.notifyAll",
          "java.lang.Object.wait",
          "java.lang.System.currentTimeMillis",
          "java.lang.System.getenv",
          "java.lang.System.identityHashCode",
          "java.lang.System.nanoTime",
          "java.util.Collection.parallelStream",
          "java.util.UUID.randomUUID");

  private Traits() {}

  /** By hand: generated names begin with a dollar sign. */
  static DescribedPredicate<JavaClass> written() {
    return describe(
        "are written by hand",
        type ->
            !type.getName().contains(".$")
                && !type.isAnonymousClass()
                && !type.getModifiers().contains(JavaModifier.SYNTHETIC));
  }

  /** A class proper that is not final. */
  static DescribedPredicate<JavaClass> extensible() {
    return describe(
        "open to extension",
        type ->
            !type.isInterface()
                && !type.isEnum()
                && !type.isRecord()
                && !type.getModifiers().contains(JavaModifier.FINAL));
  }

  /** The arguments of a hypercall are called what Xen calls the operation. */
  static DescribedPredicate<JavaClass> namedByXen() {
    return describe(
        "are the arguments of a hypercall",
        type -> type.isRecord() && type.isAssignableTo(Hypercall.class));
  }

  static DescribedPredicate<JavaClass> inNullMarkedPackage() {
    return describe(
        "in a package that is @NullMarked",
        type ->
            type.getPackage()
                .tryGetPackageInfo()
                .filter(info -> info.isAnnotatedWith(NullMarked.class))
                .isPresent());
  }

  /** Static and able to change: assigned again, or holding something that changes. */
  static DescribedPredicate<JavaField> mutableState() {
    return describe(
        "mutable static state",
        field ->
            field.getModifiers().contains(JavaModifier.STATIC)
                && !field.getModifiers().contains(JavaModifier.SYNTHETIC)
                && (!field.getModifiers().contains(JavaModifier.FINAL) || holdsState(field)));
  }

  /** Two neighbours of the same bare type, which a caller can swap unnoticed. */
  static DescribedPredicate<JavaCodeUnit> swappableNumbers() {
    return describe(
        "two adjacent bare numbers",
        unit -> {
          List<String> types =
              unit.getRawParameterTypes().stream().map(JavaClass::getName).toList();
          return IntStream.range(1, types.size())
              .mapToObj(i -> types.subList(i - 1, i + 1))
              .anyMatch(
                  pair -> pair.get(0).equals(pair.get(1)) && BARE_NUMBERS.contains(pair.get(0)));
        });
  }

  /**
   * Called from other packages. Not the constructor of a record and its factory {@code of}: a value
   * is made of its parts somewhere, and a record's header names them.
   */
  static DescribedPredicate<JavaCodeUnit> calledFromElsewhere() {
    return describe(
        "are public and do not make a record of its parts",
        unit ->
            unit.getModifiers().contains(JavaModifier.PUBLIC)
                && isPublic(unit.getOwner())
                && !(unit.getOwner().isRecord() && MAKERS.contains(unit.getName())));
  }

  static DescribedPredicate<JavaAccess<?>> clockOrChance() {
    return describe(
        "a clock or chance",
        access ->
            CLOCK_AND_CHANCE.contains(access.getTargetOwner().getName() + "." + access.getName())
                || (access.getTargetOwner().getPackageName().equals("java.time")
                    && access.getName().equals("now")));
  }

  private static boolean isPublic(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(Traits::isPublic).orElse(true);
  }

  private static boolean holdsState(JavaField field) {
    JavaClass type = field.getRawType();
    boolean openArray = type.isArray() && !field.getModifiers().contains(JavaModifier.PRIVATE);
    boolean collection =
        !type.isInterface()
            && (type.isAssignableTo(Collection.class) || type.isAssignableTo(Map.class));
    return openArray || collection || hasMutableField(type);
  }

  private static boolean hasMutableField(JavaClass type) {
    return type.getAllFields().stream()
        .filter(field -> field.getOwner().getPackageName().startsWith("io.hypercalld"))
        .map(JavaField::getModifiers)
        .anyMatch(m -> !m.contains(JavaModifier.STATIC) && !m.contains(JavaModifier.FINAL));
  }
}
