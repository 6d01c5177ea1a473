package io.hypercalld.core.house;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.core.domain.JavaModifier.SYNCHRONIZED;
import static com.tngtech.archunit.core.domain.JavaModifier.VOLATILE;
import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.conditions.ArchConditions.have;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noCodeUnits;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static io.hypercalld.core.house.Traits.calledFromElsewhere;
import static io.hypercalld.core.house.Traits.clockOrChance;
import static io.hypercalld.core.house.Traits.extensible;
import static io.hypercalld.core.house.Traits.inNullMarkedPackage;
import static io.hypercalld.core.house.Traits.mutableState;
import static io.hypercalld.core.house.Traits.namedByXen;
import static io.hypercalld.core.house.Traits.swappableNumbers;
import static io.hypercalld.core.house.Traits.written;

import io.hypercalld.core.planted.AddressPair;
import io.hypercalld.core.planted.Calendar;
import io.hypercalld.core.planted.Dice;
import io.hypercalld.core.planted.Extensible;
import io.hypercalld.core.planted.GlobalCounter;
import io.hypercalld.core.planted.GlobalTable;
import io.hypercalld.core.planted.Guarded;
import io.hypercalld.core.planted.PageUtil;
import io.hypercalld.core.planted.Signal;
import io.hypercalld.core.planted.Stopwatch;
import io.hypercalld.core.planted.Worker;
import io.hypercalld.core.planted.cycle.here.Here;
import io.hypercalld.core.planted.cycle.there.There;
import io.hypercalld.core.planted.unmarked.Unmarked;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** The rules that every module keeps and a compiler does not know. Immutable. */
public final class HouseRules {
  /** Libraries that any class below the API server may use. */
  private static final List<String> SMALL_LIBRARIES =
      List.of(
          "java..",
          "org.jspecify.annotations..",
          "com.google.errorprone.annotations..",
          "org.agrona..",
          "org.jctools..");

  /** Where addresses and frame numbers are bare words on purpose. */
  private static final String[] WORD_LEVEL = {
    "io.hypercalld.core.bits..",
    "io.hypercalld.core.memory..",
    "io.hypercalld.iommu.vtd..",
    "io.hypercalld.iommu.unit.."
  };

  private static final String BANNED_NAME =
      ".*(Utils?|Manager|Helper|Impl|Base|Common|Data|Info|Service|(?<!\\bFault|\\bRefusal)Handler)";

  private HouseRules() {}

  /** What every module keeps. */
  public static List<HouseRule> everywhere() {
    return List.of(
        namesAreNouns(),
        classesAreFinal(),
        stateIsNotStatic(),
        numbersAreTyped(),
        packagesAreNullMarked(),
        packagesHaveAnOrder());
  }

  /** What the modules below the API server keep besides. */
  public static List<HouseRule> belowTheApi() {
    return List.of(threadsAreAbove(), locksAreAbove(), fieldsArePlain(), timeAndChanceAreGiven());
  }

  /** A package depends on itself, on the named ones and on small libraries, and on nothing else. */
  public static HouseRule dependsOnly(String layer, List<String> below, Class<?>... planted) {
    String[] allowed =
        Stream.of(List.of(layer), below, SMALL_LIBRARIES)
            .flatMap(List::stream)
            .toArray(String[]::new);
    return HouseRule.of(
        classes()
            .that(resideInAPackage(layer).and(written()))
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage(allowed)),
        planted);
  }

  private static HouseRule namesAreNouns() {
    return HouseRule.of(
        noClasses()
            .that(written().and(not(namedByXen())))
            .should()
            .haveNameMatching(BANNED_NAME)
            .because("a class is a noun of the glossary"),
        PageUtil.class);
  }

  private static HouseRule classesAreFinal() {
    return HouseRule.of(
        noClasses()
            .that(written())
            .should(be(extensible()))
            .because("implementation is not inherited"),
        Extensible.class);
  }

  private static HouseRule stateIsNotStatic() {
    return HouseRule.of(
        noFields()
            .that()
            .areDeclaredInClassesThat(written())
            .should(be(mutableState()))
            .because("all state belongs to a machine"),
        GlobalCounter.class,
        GlobalTable.class);
  }

  private static HouseRule numbersAreTyped() {
    return HouseRule.of(
        noCodeUnits()
            .that(calledFromElsewhere())
            .and()
            .areDeclaredInClassesThat(written())
            .and()
            .areDeclaredInClassesThat(resideOutsideOfPackages(WORD_LEVEL))
            .should(have(swappableNumbers()))
            .because("a Gfn and an Mfn cannot be swapped unnoticed"),
        AddressPair.class);
  }

  private static HouseRule packagesAreNullMarked() {
    return HouseRule.of(
        classes()
            .that(written())
            .should(be(inNullMarkedPackage()))
            .because("null is in the type or nowhere"),
        Unmarked.class);
  }

  private static HouseRule packagesHaveAnOrder() {
    return HouseRule.of(
        slices().matching("io.hypercalld.(**)").should().beFreeOfCycles(), Here.class, There.class);
  }

  private static HouseRule threadsAreAbove() {
    return HouseRule.of(
        noClasses()
            .should()
            .dependOnClassesThat(
                resideInAPackage("java.util.concurrent..")
                    .or(assignableTo(Thread.class))
                    .or(assignableTo(ThreadLocal.class)))
            .because("a machine has one writer"),
        Worker.class);
  }

  private static HouseRule locksAreAbove() {
    return HouseRule.of(
        noMethods().should().haveModifier(SYNCHRONIZED).because("a machine has one writer"),
        Guarded.class);
  }

  private static HouseRule fieldsArePlain() {
    return HouseRule.of(
        noFields().should().haveModifier(VOLATILE).because("a machine has one writer"),
        Signal.class);
  }

  private static HouseRule timeAndChanceAreGiven() {
    return HouseRule.of(
        noClasses()
            .should()
            .accessTargetWhere(clockOrChance())
            .orShould()
            .dependOnClassesThat(
                assignableTo(RandomGenerator.class)
                    .or(assignableTo(Random.class))
                    .or(assignableTo(InstantSource.class)))
            .because("the same commands on the same state end in the same state"),
        Stopwatch.class,
        Calendar.class,
        Dice.class);
  }
}
