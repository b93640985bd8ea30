/** A sounding line under the waves. */
export function Logo({ size = 28 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#0b7285" />
      <g fill="none" stroke="#fff" strokeWidth="2.2" strokeLinecap="round">
        <path d="M6 11c3.3 0 3.3 2.4 6.7 2.4S16 11 19.3 11s3.3 2.4 6.7 2.4" />
        <path d="M16 15.5v7" />
      </g>
      <circle cx="16" cy="24" r="2.4" fill="#fff" />
    </svg>
  );
}
