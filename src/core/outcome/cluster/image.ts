import type { ClusterFacts, ContainerFacts } from '../cluster-facts.ts';
import { ageSeconds } from './phase.ts';
import type { ClusterRule } from './rule.ts';
import { minutes, named, quoted } from './words.ts';

// A registry that is away is often back by then; the kubelet tries again after pauses of up to five minutes.
const patienceSeconds = 600;

type Trouble = 'missing' | 'refused' | 'broken' | 'away';

/** What the node's runtime says of an image that it could not fetch. */
export const imageRules: readonly ClusterRule[] = [
  {
    id: 'agent-image',
    says: 'over',
    class: 'start_failed',
    shows:
      'container `agent` waiting, `ErrImagePull`, `ImagePullBackOff`, `ErrImageNeverPull` or `InvalidImageName`',
    message: (facts) => {
      const pull = pullTrouble(facts, 'agent');
      return pull === null || pull.trouble === 'away'
        ? null
        : `AME's own image could not be fetched; an administrator names it with AME_IMAGE. The node says: ${pullWords(pull.words)}`;
    },
  },
  {
    id: 'image-misnamed',
    says: 'over',
    class: 'image_missing',
    shows: 'container `task` waiting, `InvalidImageName`',
    message: ({ pod }, { image }) =>
      waitingFor(pod?.task, 'InvalidImageName') === null ? null : `${named(image)} is no name of an image.`,
  },
  {
    id: 'image-not-there',
    says: 'over',
    class: 'image_missing',
    shows: 'container `task` waiting, `ErrImageNeverPull`',
    message: ({ pod }, { image }) =>
      waitingFor(pod?.task, 'ErrImageNeverPull') === null
        ? null
        : `The image ${named(image)} is not on its node, which may not fetch any.`,
  },
  pulled(
    'image-refused',
    'refused',
    'image_refused',
    'a message with `401`, `403`, `denied` or `unauthorized`',
    {
      sentence: (image) =>
        `The registry does not hand out ${image}: it is private, or does not exist. An administrator gives AME access with AME_K8S_IMAGE_PULL_SECRETS.`,
    },
  ),
  pulled('image-missing', 'missing', 'image_missing', 'a message with `not found` or `manifest unknown`', {
    sentence: (image) => `The image ${image} does not exist. Is \`image\` spelt right?`,
  }),
  pulled('image-broken', 'broken', 'image_broken', 'a message that names its platform, a layer or a digest', {
    sentence: (image) => `The image ${image} cannot be used on its node.`,
  }),
  {
    id: 'image-unreachable',
    says: 'over',
    class: 'image_unreachable',
    shows:
      'any container waiting, `ErrImagePull` or `ImagePullBackOff`, for other causes, ten minutes after the pod was made',
    message: (facts, known) => {
      const away = pullAway(facts, known.image);
      const age = ageSeconds(facts, known);
      return away === null || age < patienceSeconds
        ? null
        : `${away.image} could not be fetched for ${minutes(age)}: ${away.words}`;
    },
  },
  {
    id: 'image-tried-again',
    says: 'waits',
    class: null,
    shows: 'the same, before that',
    message: (facts, { image }) => {
      const away = pullAway(facts, image);
      return away === null ? null : `${away.image} could not be fetched yet: ${away.words}`;
    },
  },
];

function pulled(
  id: string,
  trouble: Trouble,
  name: 'image_missing' | 'image_refused' | 'image_broken',
  seen: string,
  { sentence }: { readonly sentence: (image: string) => string },
): ClusterRule {
  return {
    id,
    says: 'over',
    class: name,
    shows: `container \`task\` waiting, \`ErrImagePull\` or \`ImagePullBackOff\`, ${seen}`,
    message: (facts, { image }) => {
      const pull = pullTrouble(facts, 'task');
      return pull?.trouble === trouble
        ? `${sentence(named(image))} The node says: ${pullWords(pull.words)}`
        : null;
    },
  };
}

function pullAway(facts: ClusterFacts, image: string): { image: string; words: string } | null {
  for (const name of ['agent', 'task'] as const) {
    const pull = pullTrouble(facts, name);
    if (pull?.trouble !== 'away') continue;
    return {
      image: name === 'agent' ? "AME's own image" : `The image ${named(image)}`,
      words: pullWords(pull.words),
    };
  }
  return null;
}

/** containerd wraps what went wrong into what it did, twice over with the image's name. */
function pullWords(words: string): string {
  const cause = words
    .replace(/^(?:Back-off pulling image "[^"]*"|Failed to pull image "[^"]*"): /u, '')
    .replace(/^ErrImagePull: /u, '')
    .replace(/^rpc error: code = \w+ desc = /u, '')
    .replace(/^failed to pull and unpack image "[^"]*": /u, '')
    .replace(/^failed to (?:resolve reference|copy) "[^"]*": /u, '');
  return quoted(cause);
}

const pullReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

function pullTrouble(
  { pod, events }: ClusterFacts,
  name: 'agent' | 'task',
): { readonly trouble: Trouble; readonly words: string } | null {
  const container = pod?.[name];
  if (container?.state !== 'waiting' || container.reason === null) return null;
  const { reason } = container;
  const said = container.message ?? '';
  if (reason === 'SignatureValidationFailed') return { trouble: 'refused', words: said };
  if (name === 'agent' && (reason === 'InvalidImageName' || reason === 'ErrImageNeverPull')) {
    return { trouble: 'missing', words: said };
  }
  if (!pullReasons.has(reason)) return null;
  // Until 1.30 a container that backs off says no more than that; what went wrong stood in an event alone.
  const event = events.findLast((event) => event.message.startsWith('Failed to pull image'))?.message;
  const words = /^Back-off pulling image "[^"]*"$/u.test(said) && event !== undefined ? event : said;
  return { trouble: troubleOf(words), words };
}

/** Which trouble such words tell of; what nobody knows is tried again, as what may pass. */
export function troubleOf(words: string): Trouble {
  // Every message of containerd's begins with `failed to pull and unpack image`, whatever went wrong, and names the
  // image, so nothing is concluded from those.
  const cause = words
    .replaceAll(/"[^"]*"|failed to pull and unpack image/gu, '')
    .replaceAll(/(?:^|\s)\S+\/\S+(?=: not found)/gu, '');
  if (/no space left|connection re|i\/o timeout|no such host|TLS handshake|deadline exceeded/u.test(cause))
    return 'away';
  if (
    /too ?many ?requests|\b(?:429|50[0234])\b|unreachable|no route|x509|temporary|HTTP response to HTTPS/iu.test(
      cause,
    )
  ) {
    return 'away';
  }
  if (
    /no match for platform|exec format|does not match|tar header|invalid digest|unsupported|unexpected (?:commit|media)|mismatched|validation|failed to extract|gzip|zstd|invalid character/iu.test(
      cause,
    )
  ) {
    return 'broken';
  }
  if (/\b40[13]\b|unauthorized|denied|authorization|authentication|credentials|forbidden/iu.test(cause)) {
    return 'refused';
  }
  if (/not ?found|\b404\b|unknown|no such image|does not exist/iu.test(cause)) return 'missing';
  return 'away';
}

function waitingFor(container: ContainerFacts | null | undefined, reason: string): string | null {
  return container?.state === 'waiting' && container.reason === reason ? (container.message ?? '') : null;
}
