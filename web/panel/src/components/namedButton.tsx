/** A button of a list, whose name says what it is about: there is one in each row. */

interface NamedButtonProps {
  text: string;
  name: string;
  onClick: () => void;
}

export const NamedButton = ({ text, name, onClick }: NamedButtonProps) => (
  <button type="button" class="button" aria-label={`${text}: ${name}`} onClick={onClick}>
    {text}
  </button>
);
