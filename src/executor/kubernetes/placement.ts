import type { V1Affinity, V1Toleration } from '@kubernetes/client-node';

type Json = Readonly<Record<string, unknown>>;

/** What a node's labels must say. */
export type NodeRequirement = {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
};

/** Requirements that must all be met. */
export type NodeTerm = Json & { readonly matchExpressions?: readonly NodeRequirement[] };

/** The part of an affinity that is looked at. */
type Affinity = Json & {
  readonly nodeAffinity?: Json & {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly NodeTerm[];
    };
  };
};

/** What the administrator says about where pods go. */
export type PlacementSettings = {
  /** The resource that counts GPUs, and the node label that says how much memory each has, MiB. */
  readonly gpuResource: string;
  readonly vramLabel: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly V1Toleration[];
  readonly affinity: Json | null;
};

/**
 * The administrator's affinity, narrowed to nodes whose GPUs have so much memory. Terms are alternatives, so that
 * what must hold in any case stands in each.
 */
export function affinityOf(settings: PlacementSettings, vramMib: number | null): V1Affinity | null {
  // As the administrator wrote it; the API server judges what we do not look at.
  const given: Affinity | null = settings.affinity;
  if (vramMib === null) return given as V1Affinity | null;
  const terms = requiredTerms(given);
  const vram = vramRequirement(settings, vramMib);
  const narrowed = {
    ...given,
    nodeAffinity: {
      ...given?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: (terms.length === 0 ? [{}] : terms).map((term: NodeTerm) => ({
          ...term,
          matchExpressions: [...(term.matchExpressions ?? []), vram],
        })),
      },
    },
  };
  return narrowed as V1Affinity;
}

/** Labels are compared as whole numbers, and only strictly. */
function vramRequirement({ vramLabel }: PlacementSettings, vramMib: number): NodeRequirement {
  return { key: vramLabel, operator: 'Gt', values: [String(vramMib - 1)] };
}

/** The alternatives of which a node must meet one; none: every node will do. */
export function requiredTerms(affinity: Affinity | null): readonly NodeTerm[] {
  return affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
}
