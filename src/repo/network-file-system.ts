/** Tells whether a folder lies on a file system that other hosts may have too. */
import { readFileSync } from 'node:fs';
import { errnoOf, realPath } from '#base';

const MOUNTS = '/proc/self/mountinfo';
const NETWORK =
  /^(?:nfs\d*|cifs|smb\d*|smbfs|lustre|ceph|afs|gpfs|beegfs|glusterfs|ocfs2|gfs2|pvfs2|orangefs|davfs|ncpfs|coda|fuse\.(?:sshfs|glusterfs|ceph|s3fs|rclone|gcsfuse|goofys|davfs2?|juicefs|mount-s3|smbnetfs|curlftpfs|nfs).*)$/;

/** What the file system is called, like `nfs4`, if it is one; undefined if it is local or the system does not say. */
export function networkFileSystem(folder: string, mounts = mountsOfSystem()): string | undefined {
  const path = realPath(folder);
  let [pointLength, type] = [-1, ''];
  for (const line of mounts.split('\n')) {
    const [before, after] = line.split(' - ');
    const point = before
      .split(' ')[4]
      ?.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));
    if (point === undefined || after === undefined || !isIn(path, point)) continue;
    // The last one that was mounted hides what was mounted there before.
    if (point.length >= pointLength) [pointLength, type] = [point.length, after.split(' ')[0]];
  }
  return NETWORK.test(type) ? type : undefined;
}

function isIn(path: string, point: string): boolean {
  return path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
}

/** Empty where there is no such list: on other systems than Linux. */
function mountsOfSystem(): string {
  try {
    return readFileSync(MOUNTS, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}
